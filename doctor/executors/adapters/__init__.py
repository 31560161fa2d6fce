"""Doctor in retry libraries: one module each, imported only where the library is used."""
