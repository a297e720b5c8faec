"""Which pre-trained model to start from: several trained for the same time, and compared."""
