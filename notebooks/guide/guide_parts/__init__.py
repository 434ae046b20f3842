"""What the guide makes from the code itself when it is built."""
