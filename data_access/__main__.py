"""The commands of an operator: `python -m data_access demo | load | rollup | check | ask | journal | sessions`."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import os
import shlex
import shutil
import sys
import tempfile
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

try:
    import duckdb
except ModuleNotFoundError as missing:
    sys.exit(
        f"python -m data_access: {missing}: this Python lacks the project's packages. "
        "Enter the environment that “make run” makes: . .venv/bin/activate"
    )
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from xlsxwriter.exceptions import FileCreateError

from data_access import demo, roll_up
from data_access.access import Viewer
from data_access.ask import (
    check_ids,
    dimensions_said,
    filters_said,
    found_nowhere,
    measures_said,
    period_said,
    signals_seen,
    viewer_said,
)
from data_access.check import Finding, check
from data_access.command_line import (
    INTERRUPTED,
    NOBODY_READS,
    WRONG_USE,
    Failure,
    Parser,
    WrongUse,
    day,
    for_the_operator,
    progress,
    stoppable,
    unreadable,
    write_whole,
)
from data_access.journal import Action, Entry, Journal, journal_of
from data_access.load import LoadError, load
from data_access.people import PeopleError, rules_of
from data_access.sessions import sessions
from data_access.settings import ROOT, Mode, Settings, SettingsError, absolute, settings
from data_access.warehouse import Warehouse, WarehouseError
from measures.catalogue import DIMENSION, LISTINGS, MEASURES, WHOLE_CONTRACT, catalogue
from measures.dimensions import PRODUCT
from measures.model import _
from measures.period import Compare, Period
from measures.question import Question, QuestionError, Told
from measures.texts import disarmed, printable
from presentation import exports
from presentation.signals import evidence, judged, sentence, title
from presentation.tables import About, Table, cell_text, table_of
from presentation.units import day_shown, period_shown
from presentation.words import LANGUAGES, Words, words

FAILED = 1
SUFFIXES = {"table": ".txt", "csv": ".csv", "json": ".json", "xlsx": ".xlsx"}
"""What `ask` writes, and how a file of it ends."""
DEFAULT_OUT = ROOT / "var" / "warehouse.duckdb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 failed (or a breach found), 2 wrongly asked for.

    Results go to stdout, progress and errors to stderr. Leaves by SystemExit only where argparse does: --help and wrong words.
    """
    # The cause of a failure is told here, to an operator; the log, with its references, is the server's.
    logging.getLogger("data_access").addHandler(logging.NullHandler())
    options = _parser().parse_args(arguments)
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except RuntimeError as error:
        if not isinstance(
            error.__cause__, KeyboardInterrupt
        ):  # DuckDB wraps an interrupt that meets one of its statements
            raise
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more as it ends; there, a closed pipe would be a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except (QuestionError, WrongUse) as error:
        return _told(error, options, WRONG_USE)
    except (Told, Failure, LoadError, SettingsError) as error:
        return _told(error, options, FAILED)
    except OSError as error:
        return _told(
            Failure(f"{error.filename or 'A file'} cannot be read or written: {error.strerror}."), options, FAILED
        )
    except (sa.exc.SQLAlchemyError, duckdb.Error, ImportError) as error:
        return _told(Failure(unreadable(error)), options, FAILED)


def _told(error: Exception, options: argparse.Namespace, code: int) -> int:
    progress(f"{options.prog}: {for_the_operator(error, words(getattr(options, 'lang', 'en')).told)}")
    return code


# Words --------------------------------------------------------------------------------------------------------------


def _parser() -> Parser:
    parser = Parser(
        prog="python -m data_access",
        description="Builds, checks and asks the warehouse that the dashboard shows, and reads its journal.",
        epilog="Exit codes: 0 done, 1 failed or a breach found, 2 wrongly asked for. “COMMAND --help” says more.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_demo(commands.add_parser("demo", help="build a made-up bank", description=_DEMO, epilog=_DEMO_EXAMPLE))
    _add_load(commands.add_parser("load", help="load a bank's own files", description=_LOAD, epilog=_LOAD_EXAMPLE))
    _add_rollup(
        commands.add_parser(
            "rollup", help="store what is looked at most, added up", description=_ROLLUP, epilog=_ROLLUP_EXAMPLES
        )
    )
    _add_check(commands.add_parser("check", help="compare a warehouse with the contract", description=_CHECK))
    _add_ask(commands.add_parser("ask", help="ask a question as a page would", description=_ASK, epilog=_ASK_EXAMPLES))
    _add_journal(
        commands.add_parser(
            "journal",
            help="who took what, and whether the record is whole",
            description=_JOURNAL,
            epilog=_JOURNAL_EXAMPLES,
        )
    )
    _add_sessions(commands.add_parser("sessions", help="who is signed in; sign somebody out", description=_SESSIONS))
    return parser


_DEMO = """Builds a made-up bank to look at, in seconds: the same scale, seed and day give the same rows.
It takes the place of an older demo bank, and never of another warehouse."""
_DEMO_EXAMPLE = "example:\n  python -m data_access demo --scale 0.1 --out var/small.duckdb"

_LOAD = """Builds an embedded warehouse from files. FOLDER holds load.toml, which names the raw files, and one SELECT for each
table of the contract (see examples/ and the README). Every row that breaks the contract goes to rejected.csv beside the
warehouse, with file, line and reason. When the load fails, the old warehouse stays; a running dashboard moves over to the
new one at the reader's next click."""
_LOAD_EXAMPLE = "example:\n  python -m data_access load examples/us-bank --raw ~/us-bank --out var/us-bank.duckdb"

_ROLLUP = """Stores rollups: the facts added up by day, by head office and the branches right below it, and by product and the
like. What is asked of the whole bank is then answered from thousands of rows instead of millions; the numbers are the same. An
embedded file gets them in place, and a running dashboard moves over; “load” and “demo” have stored them where a table has more
than a million rows. On another engine the statements are printed, for whoever may make tables there, or run with --execute.
Rollups of an older load are never read: run it again after each load, when the table “loads” tells of it."""
_ROLLUP_EXAMPLES = """examples:
  python -m data_access rollup
  python -m data_access rollup --url postgresql+psycopg://owner@host/bank > rollups.sql
  python -m data_access rollup --url postgresql+psycopg://owner@host/bank --execute"""

_CHECK = """Compares a warehouse with the contract: tables, columns, types, keys, references, the tree, dates, freshness. Prints what
it finds, and which measures will not be shown because something is missing; where people sign in, also who would not be let
in though an entry names them. Exits 1 when something breaks the contract or somebody would not be let in."""

_ASK = """Asks the question that a page would ask, and prints the answer. Whoever runs it can read the warehouse anyway: --viewer
shows what others see, it is no lock."""
_ASK_EXAMPLES = """examples:
  python -m data_access ask --list
  python -m data_access ask activation_rate,signed --by product --total
  python -m data_access ask complaints_received --by cause --where area=rural --from 2026-01-01 --against last_year
  python -m data_access ask complaints_received --by month --where cause= --out complaints.csv
  python -m data_access ask --signals --viewer 14"""


_JOURNAL = """Shows who took what out of the dashboard, when and why; says whether entries were changed or removed since; and writes
all of it to a file. Where the journal is: [access] journal in config.toml, or JOURNAL_URL. Exits 1 when it is not whole."""
_JOURNAL_EXAMPLES = """examples:
  python -m data_access journal list --person li@bank.example --since 2026-11-01
  python -m data_access journal list --branch 14 --action export
  python -m data_access journal verify
  python -m data_access journal export --out journal.csv"""


_SESSIONS = """Lists who is signed in, or ends what a person has open: every tab and every copy of a cookie is shown nothing more
within ten seconds. Who may see nothing in future is said where it is said who may see what (access.toml, or table viewers)."""


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_demo)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="FILE", help="default: var/warehouse.duckdb")
    parser.add_argument(
        "--scale", type=_above_nought, default=1.0, metavar="NUMBER", help="default: 1, about 60,000 customers"
    )
    parser.add_argument(
        "--seed", type=_whole, default=7, metavar="NUMBER", help="another one gives another bank; default: 7"
    )
    parser.add_argument(
        "--until", type=_day_of_our_time, metavar="DAY", help="the last day with data; default: yesterday"
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_load)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds load.toml and the SELECTs")
    parser.add_argument("--raw", type=Path, metavar="DIR", help="holds the raw files; default: FOLDER")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="FILE", help="default: var/warehouse.duckdb")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_check)
    _add_url(parser)


def _add_rollup(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_rollup)
    parser.add_argument("--execute", action="store_true", help="run the statements instead of printing them")
    _add_url(parser)


def _add_ask(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_ask)
    add = parser.add_argument
    add("measures", nargs="?", metavar="MEASURE[,MEASURE…]", help="what is asked for")
    add("--by", action="append", default=[], metavar="D[,D…]", help="the dimensions it is split by; may be repeated")
    add(
        "--where",
        action="append",
        default=[],
        metavar="D=ID[,ID…]",
        help="only these; “D=” keeps what is not recorded; may be repeated",
    )
    add("--from", dest="start", type=day, metavar="DAY", help="first day; default: the last twelve months")
    add("--to", dest="end", type=day, metavar="DAY", help="last day; default: the data's date")
    add(
        "--against",
        choices=[c.value for c in Compare],
        default=Compare.NOTHING.value,
        help="compare with another period; default: none",
    )
    add("--viewer", metavar="BRANCH", help="the id of the branch from which down is seen; default: head office")
    add("--total", action="store_true", help="add the whole, asked of the warehouse as a question of its own")
    add("--lang", choices=list(LANGUAGES), default="en", help="default: en")
    add(
        "--format",
        choices=list(SUFFIXES),
        help="csv and json give raw values; default: what the name of --out ends in, else table",
    )
    add("--out", type=Path, metavar="FILE", help="write there instead of to the screen")
    add("--list", action="store_true", help="list measures and dimensions")
    add("--sql", action="store_true", help="print the statement instead of asking it")
    add(
        "--explain",
        action="store_true",
        help="print which tables of events and which rollups answer, instead of asking",
    )
    add("--signals", action="store_true", help="list what deserves attention, and the pages that show it")
    _add_url(parser)


def _add_journal(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_journal)
    add = parser.add_argument
    add("what", choices=["list", "verify", "export"], metavar="list|verify|export", help="what to do with it")
    add("--person", metavar="ID", help="only what this person did")
    add("--branch", metavar="ID", help="only what was done from this branch itself, without those below")
    add("--action", choices=[action.value for action in Action], help="only what was done so")
    add("--since", type=day, metavar="DAY", help="only what was done on this day or later")
    add("--out", type=Path, metavar="FILE", help="where “export” writes, as CSV; default: the screen")


def _add_sessions(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_run_sessions)
    parser.add_argument("what", choices=["list", "end"], metavar="list|end", help="what to do")
    parser.add_argument("person", nargs="?", metavar="PERSON", help="whose sessions “end” ends, as “list” names them")


def _add_url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="default: WAREHOUSE_URL, else what .streamlit/secrets.toml or config.toml says")


def _day_of_our_time(text: str) -> date:
    """Before, the outlets of the demo bank were not yet open."""
    found = day(text)
    if not 2015 <= found.year < 2100:
        raise argparse.ArgumentTypeError(f"the demo bank lives in the years 2015 to 2099; got {text}")
    return found


def _above_nought(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"“{text}” is no number above 0, such as 0.1 or 1")
    return number


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"“{text}” is no whole number from 0 up")
    return int(text)


# demo and load ------------------------------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    _spare_other_warehouses(options.out)
    until = options.until or date.today() - timedelta(days=1)
    with stoppable():
        demo.build(options.out, scale=options.scale, seed=options.seed, until=until, say=progress)
    progress(f"{options.out} holds the demo bank up to {until.isoformat()}.")
    return 0


def _spare_other_warehouses(out: Path) -> None:
    """A bank's own warehouse took more than seconds to build."""
    if not out.exists():
        return
    with closing(Warehouse(absolute(f"duckdb:///{out}", Path.cwd()))) as warehouse:
        try:
            spare = not warehouse.state().is_demo
        except WarehouseError:
            spare = True
    if spare:
        raise Failure(f"{out} is not a demo bank, so it stays; choose another --out, or move it away first.")


def _load(options: argparse.Namespace) -> int:
    with stoppable():
        result = load(options.folder, options.raw or options.folder, options.out, say=progress)
    broken = sum(file.rejected for file in result.files)  # lines that no SELECT was given
    given, loaded = broken + sum(c.given for c in result.counts), sum(c.loaded for c in result.counts)
    rejected = broken + sum(c.rejected for c in result.counts)
    print(f"{given:,} rows in = {loaded:,} loaded + {rejected:,} rejected.")
    if rejected:
        print(f"{result.rejected} lists the rejected rows.")
    url = absolute(f"duckdb:///{result.out}", Path.cwd())
    print(f"{result.out} is the new warehouse. To compare it with the contract and to see it:")
    print(f"  export WAREHOUSE_URL={shlex.quote(url)}")
    print("  python -m data_access check")
    print("  make run        # [access] mode in config.toml decides who may see it")
    return 0


# rollup -------------------------------------------------------------------------------------------------------------


def _rollup(options: argparse.Namespace) -> int:
    url = _url(options, settings())
    where = make_url(url)
    embedded = where.get_backend_name() == "duckdb"
    if embedded and not Path(where.database or "").is_file():
        raise Failure(f"There is no warehouse at {where.database}; build one with “load” or “demo”.")
    with closing(Warehouse(url)) as warehouse:
        if not warehouse.rollups():
            raise Failure(
                f"{warehouse.where} does not tell in “loads” when it was loaded, so nobody could tell when rollups are out of date."
            )
        wanted = roll_up.statements(warehouse)
        if wanted and not (embedded or options.execute):
            _put("".join(f"{each};\n" for each in wanted), None)
            return 0
    if wanted:
        with stoppable():
            held = roll_up.store(url)
        progress(f"{warehouse.where} holds {len(held)} rollups of its latest load.")
    else:
        progress(f"{warehouse.where} holds the rollups of its latest load already.")
    return 0


# check --------------------------------------------------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    said = settings()
    url = make_url(_url(options, said))
    embedded = url.get_backend_name() == "duckdb"
    if embedded and not Path(url.database or "").is_file():
        raise Failure(f"There is no warehouse at {url.database}; build one with “load” or “demo”.")
    engine = sa.create_engine(url, connect_args={"read_only": True} if embedded else {})
    try:
        findings = check(engine, today=date.today())
    finally:
        engine.dispose()
    breaches = sum(finding.breach for finding in findings)
    where = url.render_as_string(hide_password=True)
    print(f"{where} {f'breaks the contract: {breaches:,} ×' if breaches else 'keeps the contract'}.")
    # Where there is no terminal, a program reads: it gets each sentence whole.
    width = max(shutil.get_terminal_size((10_000, 0)).columns, 40)
    for heading, lines in _report(findings):
        print(f"\n{heading}:")
        for line in lines:
            print(
                textwrap.fill(
                    printable(line), width, initial_indent="- ", subsequent_indent="  ", break_long_words=False
                )
            )
    refused = _not_let_in(said, url) if said.access.mode in (Mode.OIDC, Mode.PROXY) else []
    if refused:
        print("\nNot let in:")
        for line in refused:
            print(f"- {printable(line)}")
    if not breaches:  # otherwise it may not be readable at all
        with closing(Warehouse(url.render_as_string(hide_password=False))) as warehouse, suppress(Told):
            for line in _outdated(warehouse):
                print(f"\nTo be done:\n- {line}")
    return FAILED if breaches or refused else 0


def _not_let_in(said: Settings, url: sa.URL) -> list[str]:
    """Why people whom the bank has named would not be let in."""
    with closing(Warehouse(url.render_as_string(hide_password=False))) as warehouse:
        try:
            return rules_of(said.access, warehouse).faults(warehouse.state().paths)
        except (PeopleError, WarehouseError) as error:
            return [str(error)]


def _report(findings: Sequence[Finding]) -> Iterator[tuple[str, list[str]]]:
    """Headings and what stands below them: what must be mended, what should be known, and what is not shown."""
    missing = [finding for finding in findings if not finding.breach and finding.rule in ("table", "column")]
    lacking = _lacking(findings)
    felt = {lack for lacks in lacking.values() for lack in lacks}
    # A table that nothing reads is not worth a word.
    tables = [f.table for f in missing if not f.column and f.table in felt | _read_somewhere()]
    columns = [_place(f) for f in missing if f.column and _place(f) not in felt]
    told = {
        "Breaches": [finding.sentence for finding in findings if finding.breach],
        "Worth knowing": [
            *(f.sentence for f in findings if not f.breach and f not in missing),
            *(f.sentence for f in missing if f.column and _place(f) in felt),
        ],
        "Missing": [
            *([f"Tables: {', '.join(tables)}."] if tables else []),
            *([f"Columns that only split or name: {', '.join(columns)}."] if columns else []),
        ],
        "Not shown": list(_not_shown(lacking)),
    }
    return ((heading, lines) for heading, lines in told.items() if lines)


def _read_somewhere() -> frozenset[str]:
    """The tables that a measure, a listing or a way of splitting them reads."""
    counts = [count for measure in MEASURES.values() for count in measure.counts]
    facts = {count.fact for count in counts} | {listing.fact for listing in LISTINGS.values()}
    keys = [(fact, part) for fact in facts for key in fact.keys.values() for part in (key.id, key.name)]
    return frozenset(table for fact, part in keys if part is not None for table, _column in fact.needs(part))


def _place(finding: Finding) -> str:
    return f"{finding.table}.{finding.column}" if finding.column else finding.table


def _lacking(findings: Sequence[Finding]) -> Mapping[str, tuple[str, ...]]:
    """The measures and listings that the dashboard leaves out, and the tables and columns for want of which it does."""
    tables = {f.table for f in findings if f.rule == "table"}
    columns = {(f.table, f.column) for f in findings if f.rule in ("column", "type")}
    present = frozenset(need for need in WHOLE_CONTRACT if need[0] not in tables and need not in columns)
    return catalogue(present).missing


def _not_shown(lacking: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    families = {family: [] for family in dict.fromkeys(measure.family for measure in MEASURES.values())}
    for name, measure in MEASURES.items():
        families[measure.family].append(name)
    for family, names in {**families, "Lists": list(LISTINGS)}.items():
        by_lack: dict[tuple[str, ...], list[str]] = {}
        for name in names:
            if name in lacking:
                by_lack.setdefault(lacking[name], []).append(name)
        if sum(map(len, by_lack.values())) == len(names):
            lacks = dict.fromkeys(lack for lacks in by_lack for lack in lacks)
            yield f"{family}: nothing at all, for want of {', '.join(lacks)}."
        elif by_lack:
            parts = (f"{', '.join(left_out)} for want of {', '.join(lacks)}" for lacks, left_out in by_lack.items())
            yield f"{family}: {'; '.join(parts)}."


# ask ----------------------------------------------------------------------------------------------------------------


def _ask(options: argparse.Namespace) -> int:
    say = words(options.lang)
    if options.list:
        _print_catalogue(say)
        return 0
    if options.signals:
        return _list_signals(options, say)
    if not options.measures:
        raise WrongUse("Name at least one measure; “ask --list” lists them.")
    if options.total and not options.by:
        raise WrongUse("--total goes with --by: without it, the answer is the total.")
    options.format = _format(options)

    said = settings()
    with closing(Warehouse(_url(options, said), said.days_off)) as warehouse:
        _answer(options, warehouse, say)
    if options.out:
        progress(f"{options.out} holds the answer.")
    return 0


def _list_signals(options: argparse.Namespace, say: Words) -> int:
    others = (options.measures, options.by, options.where, options.start, options.end, options.total, options.sql)
    others += (options.explain,)
    if any(others) or options.format or options.out or options.against != Compare.NOTHING.value:
        raise WrongUse("--signals knows itself what to ask: it goes with --viewer, --lang and --url alone.")
    said = settings()
    with closing(Warehouse(_url(options, said), said.days_off)) as warehouse:
        viewer = viewer_said(os.environ.get("USER") or "ask", options.viewer, warehouse)
        found, here = signals_seen(viewer, warehouse), _names(warehouse, viewer)[viewer.branch_id]
    lines = [title(found, say), judged(found, say)]
    for each in found.found:
        page, parameters = evidence(each, found.year)
        address = urlencode({"branch": viewer.branch_id, **parameters, "lang": say.language}, safe=".,")
        lines += ["", sentence(each, here, say), f"  /{page}?{address}"]
    _put("\n".join(map(printable, lines)) + "\n", None)
    return 0


def _format(options: argparse.Namespace) -> str:
    """What is written: what --format says, else what the file's name ends in. One that says the other is refused."""
    if options.sql or options.explain or options.out is None:
        if options.format == "xlsx":
            raise WrongUse("A workbook goes to a file: add --out NAME.xlsx.")
        return options.format or "table"
    suffix = options.out.suffix.lower()
    meant = next((name for name, ending in SUFFIXES.items() if ending == suffix), None)
    if options.format is None and meant is None:
        raise WrongUse(
            f"{options.out} does not say what is to be written: let it end in {', '.join(SUFFIXES.values())}."
        )
    if meant not in (None, options.format or meant):
        raise WrongUse(
            f"{options.out} is the name of another format than --format {options.format}; leave one of them out."
        )
    return options.format or meant


def _answer(options: argparse.Namespace, warehouse: Warehouse, say: Words) -> None:
    state = warehouse.state()
    viewer = viewer_said(os.environ.get("USER") or "ask", options.viewer, warehouse)
    period, against = period_said(options.start, options.end, Compare(options.against), state.data_until)
    question = Question(
        measures_said(options.measures, state.catalogue),
        period,
        dimensions_said(",".join(options.by)),
        filters_said(options.where),
        against,
    )
    check_ids(question, viewer, warehouse)
    if options.sql:
        _put(warehouse.sql(question, viewer) + "\n", options.out)
        return
    if options.explain:
        _put("".join(f"{line}\n" for line in _explained(question, viewer, warehouse)), options.out)
        return
    for wanted, code in found_nowhere(question, viewer, warehouse):
        progress(say(_("No rows of this period have {filter}."), filter=f"{wanted.name}={code or ''}"))
    answer = warehouse.fetch(question, viewer)
    total = warehouse.fetch(question.total(), viewer) if options.total else None
    if options.format == "csv":
        # A file is opened by a spreadsheet, which needs the mark; what is piped goes to a program.
        _put(_csv(answer, total), options.out, "utf-8-sig")
    elif options.format == "json":
        _put(_json(question, viewer, state.data_until, answer, total), options.out)
    else:
        table = table_of(question, answer, total, say, changes=True)
        about = About(
            filters=_in_words(question, viewer, warehouse, say),
            scope=_names(warehouse, viewer)[viewer.branch_id],
            data_until=state.data_until,
            person=viewer.person,
            made_at=datetime.now(),
            link=None,
            row_count=len(answer),
        )
        if options.format == "table":
            _put(_in_lines(table, about, say), options.out)
        else:
            write_whole(_workbook(table, about, say, options.out), options.out)


def _explained(question: Question, viewer: Viewer, warehouse: Warehouse) -> Iterator[str]:
    """For each fact and period of the question where its counts are read; then why, where rollups are out of date."""
    for source in warehouse.sources(question, viewer):
        period = question.against if source.ending else question.period
        tables = source.rollup.name if source.rollup else f"{', '.join(sorted(source.fact.tables))}, row by row"
        yield f"{source.fact.name}, {period.start.isoformat()} to {period.end.isoformat()}: {tables}"
    yield from _outdated(warehouse)


def _outdated(warehouse: Warehouse) -> Iterator[str]:
    if outdated := warehouse.state().outdated:
        yield f"{len(outdated)} rollups are of another load or version, and not read; “python -m data_access rollup” makes them anew."


def _names(warehouse: Warehouse, viewer: Viewer) -> dict[str, str]:
    return dict(warehouse.branches(viewer)[["branch_id", "name"]].itertuples(index=False))


def _in_words(question: Question, viewer: Viewer, warehouse: Warehouse, say: Words) -> list[tuple[str, str]]:
    """The period and the filters as label and value; branches and products by their names."""
    told = [(say(_("Period")), period_shown(question.period, say.language))]
    if question.against:
        told.append((say(_("Compared with")), period_shown(question.against, say.language)))
    names = {PRODUCT: dict(warehouse.products()[["product_id", "name"]].itertuples(index=False))}
    for dimension, ids in question.where:
        known = _names(warehouse, viewer) if dimension.in_tree else names.get(dimension, {})
        told.append((say(dimension.label), say.listed([known.get(i) or say.value(dimension, i) for i in ids])))
    return told


def _csv(answer: pd.DataFrame, total: pd.DataFrame | None) -> str:
    """Raw values, but no formula for a spreadsheet; with a total, a first column that tells it from the parts.

    An empty id is one that is not recorded.
    """
    if total is None:
        return _as_csv(answer, header=True)
    columns = ["row", *answer.columns]
    return _as_csv(total.assign(row="total").reindex(columns=columns), header=True) + _as_csv(
        answer.assign(row="part")[columns], header=False
    )


def _as_csv(rows: pd.DataFrame, *, header: bool) -> str:
    texts = rows.select_dtypes(["object", "str"]).map(
        lambda value: disarmed(value) if isinstance(value, str) else value
    )
    return rows.assign(**texts).to_csv(index=False, header=header, date_format="%Y-%m-%d", lineterminator="\n")


def _json(
    question: Question, viewer: Viewer, data_until: date, answer: pd.DataFrame, total: pd.DataFrame | None
) -> str:
    said = {
        "measures": [measure.name for measure in question.measures],
        "by": [dimension.name for dimension in question.by],
        "where": {dimension.name: ids for dimension, ids in question.where},
        "period": _days(question.period),
        "against": _days(question.against) if question.against else None,
        "viewer": viewer.branch_id,
        "data_until": data_until.isoformat(),
        "rows": _records(answer),
    }
    if total is not None:
        said["total"] = _records(total)[0]
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def _days(period: Period) -> list[str]:
    return [period.start.isoformat(), period.end.isoformat()]


def _records(rows: pd.DataFrame) -> list[dict[str, object]]:
    return [{name: _plain(value) for name, value in record.items()} for record in rows.to_dict("records")]


def _plain(value: object) -> object:
    if pd.isna(value):
        return None
    return value.date().isoformat() if isinstance(value, datetime) else value


def _in_lines(table: Table, about: About, say: Words) -> str:
    """The table as it stands on a page: the same words, numbers and order."""
    heading = [table.title, *(f"{label}: {value}" for label, value in about.filters)]
    heading.append(f"{about.scope} · " + say(_("Data until {day}"), day=day_shown(about.data_until, say.language)))
    columns = [[cell_text(column, value, say) for value in table.rows[column.name]] for column in table.columns]
    rows = list(zip(*columns, strict=True))
    if table.total is not None:
        totals = [
            cell_text(column, table.total[column.name].iloc[0], say) if column.name in table.total else ""
            for column in table.columns
        ]
        rows.insert(0, [say(_("Total")), *totals[1:]])
    right = {number for number, column in enumerate(table.columns) if column.kind == "number"}
    lines = _aligned([column.label for column in table.columns], rows, right)
    note = ["", table.note] if table.note else []
    return "\n".join(map(printable, [*heading, "", *lines, *note])) + "\n"


def _workbook(table: Table, about: About, say: Words, out: Path) -> bytes:
    try:
        return exports.xlsx(table, about, say)
    except (OSError, FileCreateError) as error:  # its parts lie in files until they are put together
        raise Failure(f"{out} cannot be written, for want of room in {tempfile.gettempdir()}: {error}.") from error


def _print_catalogue(say: Words) -> None:
    """Every measure and dimension with its meaning, in the reader's language."""
    for family in dict.fromkeys(measure.family for measure in MEASURES.values()):
        print(say(family))
        rows = [(f"  {m.name}", say(m.label), say(m.meaning)) for m in MEASURES.values() if m.family == family]
        print("\n".join([*_lined_up(rows, set()), ""]))
    print(say(_("Dimensions")))
    rows = [
        (f"  {d.name}", say(d.label), say.listed([f"{code} {say(word)}" for code, word in d.values.items()]))
        for d in DIMENSION.values()
    ]
    print("\n".join(_lined_up(rows, set())))


# journal ------------------------------------------------------------------------------------------------------------

_LISTED = ("number", "at", "person", "role", "branch_id", "action", "what", "rows", "personal", "file_name", "id")
"""What “list” has room for; “export” has everything."""


def _journal(options: argparse.Namespace) -> int:
    said = settings().access
    url = make_url(said.journal)
    if url.get_backend_name() == "sqlite" and not Path(url.database).is_file():
        raise Failure(f"There is no journal at {url.database}: it is made with its first entry, or was removed.")
    journal = journal_of(said)
    if options.what == "verify":
        return _verify(journal, url.render_as_string(hide_password=True))
    entries = journal.entries(
        person=options.person,
        branches=None if options.branch is None else [options.branch],
        action=options.action and Action(options.action),
        since=options.since,
    )
    entries = entries.assign(at=entries["at"].dt.strftime("%Y-%m-%d %H:%M:%S.%f UTC"))
    if options.what == "export":
        _put(_as_csv(entries, header=True), options.out, "utf-8-sig")
        return 0
    shown = entries[list(_LISTED)].assign(at=entries["at"].str.replace(r"\.\d+", "", regex=True)).astype(object)
    rows = [["" if pd.isna(cell) else printable(str(cell)) for cell in row] for row in shown.itertuples(index=False)]
    _put("\n".join(_aligned(_LISTED, rows, {0, 7})) + "\n", None)
    return 0


def _verify(journal: Journal, where: str) -> int:
    """What is found goes to the screen, and the last hash with it: whoever notes it finds out when older entries come back."""
    faults = journal.verify()
    number, last = journal.last()
    print(
        f"{where} {f'is not whole: {len(faults):,} ×' if faults else 'is whole'}. {number:,} entries; the last hash is {last}."
    )
    for fault in faults:
        print(f"- {fault}")
    return FAILED if faults else 0


# sessions -----------------------------------------------------------------------------------------------------------


def _run_sessions(options: argparse.Namespace) -> int:
    if (options.what == "end") != bool(options.person):
        raise WrongUse("“end” needs a PERSON, and “list” takes none.")
    said = settings()
    known = sessions(said)
    if options.what == "end":
        ended = known.end_all(options.person)
        if not ended:
            raise Failure(f"{options.person} has no session open; “list” shows who has.")
        # After the end, which is not to wait for a journal that cannot be written.
        by = f"on the command line, by {getpass.getuser()}"
        entry = Entry(person=options.person, name="", role="", branch_id="", action=Action.REVOKE, what=by)
        journal_of(said.access).add(entry)
        print(f"{ended} ended.")
        return 0
    heading = ("person", "signed in at", "last seen at")
    rows = [(printable(one.person), _at(one.began_at), _at(one.seen_at)) for one in known.listed()]
    _put("\n".join(_aligned(heading, rows, set())) + "\n", None)
    return 0


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


# Lines --------------------------------------------------------------------------------------------------------------


def _put(text: str, out: Path | None, encoding: str = "utf-8") -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        write_whole(text.encode(encoding), out)


def _aligned(heading: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> Iterator[str]:
    """A heading, a rule and the rows in columns; those with their number in `right` end where the others begin."""
    lines = list(_lined_up([heading, *rows], right))
    yield lines[0]
    yield "─" * max(map(_width, lines))
    yield from lines[1:]


def _lined_up(rows: Sequence[Sequence[str]], right: set[int]) -> Iterator[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _width(cell))
            cells.append(space + cell if number in right else cell + space)
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """How many columns of a terminal `text` takes: a Chinese character takes two, a combining accent none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _url(options: argparse.Namespace, said: Settings) -> str:
    return absolute(options.url, Path.cwd()) if options.url else said.url


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # a terminal or pipe of another encoding has no Chinese
    sys.exit(main())
