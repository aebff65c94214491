"""SQLAlchemy Core and ORM, over psycopg and asyncpg."""

from __future__ import annotations

import datetime
import decimal
import enum

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    selectinload,
)


class Base(DeclarativeBase):
    pass


class Mood(enum.Enum):
    SAD = "sad"
    HAPPY = "happy"


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)
    born: Mapped[datetime.date | None]
    mood: Mapped[Mood] = mapped_column(default=Mood.HAPPY)
    books: Mapped[list[Book]] = relationship(back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    price: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(8, 2))
    tags: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), default=list)
    extra: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id", ondelete="CASCADE"))
    author: Mapped[Author] = relationship(back_populates="books")


def authors() -> list[Author]:
    return [
        Author(
            name=f"author {i}",
            born=datetime.date(1950 + i, 1, 1),
            books=[
                Book(title=f"book {i}.{j}", price=decimal.Decimal("9.99"), tags=["a", f"t{j}"])
                for j in range(3)
            ],
        )
        for i in range(5)
    ]


def url(dsn: str, driver: str) -> str:
    return dsn.replace("postgresql://", f"postgresql+{driver}://")


def test_orm_round_trip(dsn: str) -> None:
    engine = sa.create_engine(url(dsn, "psycopg"))
    try:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all(authors())
            session.commit()
            found = session.scalars(
                sa.select(Author).options(selectinload(Author.books)).order_by(Author.name)
            ).all()
            assert [len(author.books) for author in found] == [3] * 5
            assert found[0].mood is Mood.HAPPY
            found[0].books[0].extra = {"k": [1, {"z": None}]}
            found[1].name = "renamed"
            session.delete(found[2])
            session.commit()
        with Session(engine) as session:
            count = sa.select(sa.func.count()).select_from(Book)
            assert session.scalar(count) == 12
            book = session.scalars(
                sa.select(Book).where(Book.extra["k"][0].as_integer() == 1)
            ).one()
            assert book.title == "book 0.0"
            tagged = sa.select(Book.title).where(sa.literal("t1") == sa.any_(Book.tags))
            assert len(session.scalars(tagged).all()) == 4
            session.add(Author(name="renamed"))
            with pytest.raises(sa.exc.IntegrityError):
                session.flush()
            session.rollback()
        Base.metadata.drop_all(engine)
    finally:
        engine.dispose()


def test_core_and_reflection(dsn: str) -> None:
    engine = sa.create_engine(url(dsn, "psycopg"))
    try:
        Base.metadata.create_all(engine)
        inspector = sa.inspect(engine)
        assert sorted(inspector.get_table_names()) == ["author", "book"]
        columns = {c["name"]: c for c in inspector.get_columns("book")}
        assert isinstance(columns["price"]["type"], sa.Numeric)
        assert isinstance(columns["tags"]["type"], ARRAY)
        assert inspector.get_pk_constraint("book")["constrained_columns"] == ["id"]
        assert inspector.get_foreign_keys("book")[0]["referred_table"] == "author"
        assert inspector.get_unique_constraints("author")[0]["column_names"] == ["name"]
        assert inspector.get_enums()[0]["labels"] == ["SAD", "HAPPY"]
        metadata = sa.MetaData()
        metadata.reflect(engine)
        assert set(metadata.tables) == {"author", "book"}
        author = Author.__table__
        with engine.begin() as connection:
            upsert = insert(author).values(name="x", mood=Mood.SAD)
            upsert = upsert.on_conflict_do_update(
                index_elements=["name"], set_={"mood": upsert.excluded.mood}
            ).returning(author.c.id, author.c.mood)
            first = connection.execute(upsert).one()
            assert connection.execute(upsert).one() == first
            many = [{"name": f"n{i}", "mood": Mood.HAPPY} for i in range(50)]
            connection.execute(sa.insert(author), many)
            ranked = sa.select(
                author.c.name, sa.func.rank().over(order_by=author.c.name).label("r")
            ).subquery()
            query = sa.select(ranked.c.r).where(ranked.c.name == "n10")
            assert connection.scalar(query) == 3
    finally:
        engine.dispose()


async def test_orm_asyncpg(dsn: str) -> None:
    pytest.importorskip("greenlet")  # of the extra sqlalchemy[asyncio]
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    engine = create_async_engine(url(dsn, "asyncpg"))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add_all(authors())
            await session.commit()
            query = sa.select(Author).options(selectinload(Author.books)).order_by(Author.name)
            found = (await session.scalars(query)).all()
            assert [len(author.books) for author in found] == [3] * 5
            total = await session.scalar(sa.select(sa.func.sum(Book.price)))
            assert total == decimal.Decimal("149.85")
    finally:
        await engine.dispose()
