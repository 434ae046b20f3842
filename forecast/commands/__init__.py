"""What each command of `forecast` asks for, does and prints."""
