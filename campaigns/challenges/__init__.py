"""How far somebody is in a challenge: a pure function of what they bought, ordered by when."""
