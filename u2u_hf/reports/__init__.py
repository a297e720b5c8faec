"""What a corpus holds and what a preparation did: terminal, JSON, HTML."""
