"""The members' pages as an app on the home screen: its manifest, its icon, and the worker that
keeps the card for when there is no network."""
