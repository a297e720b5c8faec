"""What several tests need: a loopback Hub, servers, pages in a browser, documents."""
