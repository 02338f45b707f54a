"""PostgreSQL tables of the service: a class per aggregate, each method one statement or one transaction."""
