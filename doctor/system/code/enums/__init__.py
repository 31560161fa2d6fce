"""Python enums and SQLAlchemy's enum types, read completely or not at all."""
