"""What the command `lamina` does, one file per noun."""
