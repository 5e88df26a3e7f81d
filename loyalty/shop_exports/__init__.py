"""What other systems export or send: understood by guesses, brought into files of ours."""
