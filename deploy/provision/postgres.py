"""Roles and databases of PostgreSQL (16 or later): a role owns its database, and connects to no other.

The administrator is a superuser, or a role with CREATEROLE and CREATEDB that made the others.
"""

from collections.abc import Iterator, Mapping
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.provision.differences import Difference

_CONNECT_SECONDS = 5
_MAINTENANCE = ("postgres", "template1")
_ATTRIBUTES: Mapping[str, tuple[bool, LiteralString]] = {
    "rolcanlogin": (True, "LOGIN"),
    "rolsuper": (False, "NOSUPERUSER"),
    "rolcreatedb": (False, "NOCREATEDB"),
    "rolcreaterole": (False, "NOCREATEROLE"),
    "rolreplication": (False, "NOREPLICATION"),
    "rolbypassrls": (False, "NOBYPASSRLS"),
}
_ATTRIBUTES_OF = """
SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s
"""
_MEMBERSHIPS_OF = """
SELECT roleid::regrole::text, grantor::regrole::text FROM pg_auth_members WHERE member = %s::regrole
"""
_OWNER_OF = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
_GRANTEES_OF = """
SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END
FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
WHERE datname = %s AND grantee <> datdba ORDER BY 1
"""
_MAY_SHUT = "SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = %s"
_MAY_ACT_AS = "SELECT pg_has_role(current_user, %s, 'USAGE')"


class RolesAndDatabases:
    """The roles of a server, with a database of the same name each.

    Args:
        administrator: Connection string of who makes them.
        passwords: By role.
    """

    def __init__(self, administrator: str, passwords: Mapping[str, str]) -> None:
        self._administrator = administrator
        self._passwords = passwords

    def differences(self) -> Iterator[Difference]:
        """Yield what is not as declared."""
        with psycopg.connect(self._administrator, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection:
            for role in self._passwords:
                yield from self._role(connection, role)
                yield from _database(connection, role)
                yield from self._login(connection, role)
            yield from self._doors(connection)

    def _role(self, connection: psycopg.Connection, role: str) -> Iterator[Difference]:
        row = connection.execute(_ATTRIBUTES_OF, [role]).fetchone()
        if row is None:
            yield Difference(f"role {role}", "is not there", lambda: self._create(connection, role))
            return
        wrong = [word for has, (wanted, word) in zip(row, _ATTRIBUTES.values(), strict=True) if has is not wanted]
        if wrong:
            yield Difference(f"role {role}", f"is not {', '.join(wrong)}", lambda: _alter(connection, role, wrong))
        for group, grantor in connection.execute(_MEMBERSHIPS_OF, [_quoted(connection, role)]).fetchall():
            yield _membership(connection, role, str(group), str(grantor))

    def _create(self, connection: psycopg.Connection, role: str) -> None:
        # With no attribute named, a role has the least of each; and only a superuser may name some.
        statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(role), self._verifier(connection, role)))

    def _login(self, connection: psycopg.Connection, role: str) -> Iterator[Difference]:
        """Log in as the role does: its password cannot be read, and may have been changed."""
        if not _exists(connection, role):
            return
        own = make_conninfo(self._administrator, user=role, password=self._passwords[role], dbname=role)
        try:
            psycopg.connect(own, connect_timeout=_CONNECT_SECONDS).close()
        except psycopg.OperationalError as error:
            reason = str(error).strip().rpartition("FATAL:")[2].strip()
            yield Difference(f"role {role}", f"does not log in: {reason}", lambda: self._change(connection, role))

    def _change(self, connection: psycopg.Connection, role: str) -> None:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL 'infinity'")
        connection.execute(statement.format(sql.Identifier(role), self._verifier(connection, role)))

    def _verifier(self, connection: psycopg.Connection, role: str) -> sql.Literal:
        """Return what the server keeps of a password: it then never sees the password, and cannot log it."""
        encrypted = connection.pgconn.encrypt_password(self._passwords[role].encode(), role.encode(), b"scram-sha-256")
        return sql.Literal(encrypted.decode())

    def _doors(self, connection: psycopg.Connection) -> Iterator[Difference]:
        """Look who else may connect to what."""
        for database in self._passwords:
            if _exists(connection, database):
                yield from self._open_to(connection, database)
        for database in _MAINTENANCE:
            if connection.execute(_MAY_SHUT, [database]).fetchone() == (True,):
                yield from self._open_to(connection, database)

    def _open_to(self, connection: psycopg.Connection, database: str) -> Iterator[Difference]:
        strangers = {"PUBLIC", *self._passwords}
        for (grantee,) in connection.execute(_GRANTEES_OF, [database]).fetchall():
            if grantee in strangers:
                yield _open_door(connection, database, str(grantee))


def _alter(connection: psycopg.Connection, role: str, words: list[LiteralString]) -> None:
    statement = sql.SQL("ALTER ROLE {} {}")
    connection.execute(statement.format(sql.Identifier(role), sql.SQL(" ").join(map(sql.SQL, words))))


def _membership(connection: psycopg.Connection, role: str, group: str, grantor: str) -> Difference:
    # Both come from the catalogue, quoted where they need it.
    statement = f"REVOKE {group} FROM {_quoted(connection, role)} GRANTED BY {grantor} CASCADE"
    return Difference(f"role {role}", f"is a member of {group}", lambda: connection.execute(statement.encode()))


def _database(connection: psycopg.Connection, name: str) -> Iterator[Difference]:
    subject = f"database {name}"
    owner = connection.execute(_OWNER_OF, [name]).fetchone()
    if owner is None:
        yield Difference(subject, "is not there", lambda: _create_database(connection, name))
    elif owner != (name,):
        wrong = f"belongs to {owner[0]}"
        yield Difference(subject, wrong, lambda: _as_owner(connection, name, "ALTER DATABASE {} OWNER TO {}"))


def _create_database(connection: psycopg.Connection, name: str) -> None:
    _as_owner(connection, name, "CREATE DATABASE {} OWNER {}")
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def _as_owner(connection: psycopg.Connection, name: str, statement: LiteralString) -> None:
    """Run a statement that wants the rights of the owner, who bears the database's name."""
    if connection.execute(_MAY_ACT_AS, [name]).fetchone() == (False,):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
    connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(name)))


def _open_door(connection: psycopg.Connection, database: str, grantee: str) -> Difference:
    whom = sql.SQL("PUBLIC") if grantee == "PUBLIC" else sql.Identifier(grantee)
    statement = sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(sql.Identifier(database), whom)
    return Difference(f"database {database}", f"is open to {grantee}", lambda: connection.execute(statement))


def _exists(connection: psycopg.Connection, name: str) -> bool:
    """Tell whether a role and its database are there: where nothing is put right, they may not be."""
    row = connection.execute(
        "SELECT 1 FROM pg_roles, pg_database WHERE rolname = %s AND datname = %s", [name, name]
    ).fetchone()
    return row is not None


def _quoted(connection: psycopg.Connection, name: str) -> str:
    return sql.Identifier(name).as_string(connection)
