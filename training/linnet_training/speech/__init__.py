"""Speech out of text: phrases, what sounds like them, and the voices found on the machine."""
