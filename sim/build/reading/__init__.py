"""What a researcher's own files say of a network, read strictly."""
