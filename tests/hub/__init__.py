"""A loopback Hugging Face Hub for the tests."""
