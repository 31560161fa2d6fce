"""The nouns of Doctor as frozen values, and the ports as protocols. No I/O in here."""
