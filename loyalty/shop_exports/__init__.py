"""What other systems export: read as it is, understood by guesses, brought into files of ours."""
