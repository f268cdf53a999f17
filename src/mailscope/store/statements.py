"""SQL that people write: only what reads, only what the store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailscope.vocabulary.errors import UsageError

if TYPE_CHECKING:
    import duckdb

OURS: Final = "explain "
WHERE: Final = "SQL"
ADVICE: Final = "such as: SELECT status, count(*) FROM deliveries GROUP BY status"


def checked(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    """The statement, if it is one that reads.  Raises UsageError for any other, or one that is wrong."""
    import duckdb

    try:
        found = connection.extract_statements(statement)
    except duckdb.Error as error:
        raise UsageError(_words(error), WHERE, ADVICE) from None
    if len(found) != 1:
        raise UsageError(f"there are {len(found)} statements", WHERE, "give one")
    if found[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise UsageError("only SELECT can be asked: the store is not changed this way", WHERE, ADVICE)
    try:
        # Binding it finds misspelt names before anything is read.
        connection.execute(f"{OURS}{statement.rstrip().rstrip(';')}").fetchall()
    except duckdb.Error as error:
        raise UsageError(_words(error), WHERE, ADVICE) from None
    return statement.rstrip().rstrip(";")


def _words(error: Exception) -> str:
    # What stands before the statement is not the person's.
    return " ".join(str(error).replace(OURS, "", 1).split())[:500]
