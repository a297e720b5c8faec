"""The made-up corpus and the tiny model that the quickstart and the tests run on."""
