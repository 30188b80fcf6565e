"""Makes the files of the weekly meeting, and mails them: `python deliver.py deck | workbook | report | mail`."""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path

try:
    import sqlalchemy as sa
except ModuleNotFoundError as missing:
    sys.exit(
        f"deliver.py: {missing}: this Python lacks the project's packages. "
        "Enter the environment that “make run” makes: . .venv/bin/activate"
    )

from data_access.access import Permission, Role, Viewer, lies_within
from data_access.command_line import (
    INTERRUPTED,
    WRONG_USE,
    Failure,
    Parser,
    WrongUse,
    for_the_operator,
    progress,
    stoppable,
    unreadable,
    write_whole,
)
from data_access.mail import Attachment, MailError, Post, message
from data_access.meetings import CLAIMED_FOR, Meetings, MeetingsError, meetings_of, monday_of
from data_access.people import Identity, NotLetIn, rules_of, viewer_without_sign_in
from data_access.recipients import Recipient, recipients
from data_access.settings import Mail, Mode, Settings, SettingsError, settings
from data_access.warehouse import Warehouse
from measures.question import Told
from measures.texts import printable
from panels.alone import desk_of
from panels.complaint_report import Length, report
from panels.desk import Desk
from panels.minutes import of_week
from panels.papers import PAPERS, Made, made
from presentation import letter
from presentation.words import LANGUAGES, words

NOT_DELIVERED = 3
USUAL = ("deck", "workbook")
"""What a recipient is sent who does not say what."""
KINDS = ("deck", "workbook", "report")

# What the files hold ------------------------------------------------------------------------------------------------


def _made(desk: Desk, week: date, kinds: Sequence[str], length: Length = Length.MONTH) -> list[Made]:
    """The files of these kinds for the desk's viewer, with their numbers. Raises Told where the role or the quota forbids one."""
    minutes = cache(lambda: of_week(desk, week))
    return [
        made(desk, PAPERS[kind], week, (lambda: report(desk, length)) if kind == "report" else minutes)
        for kind in kinds
    ]


def _came_back(file: Made, why: str) -> None:
    """Enters in the journal that the file was not handed over after all; where that fails too, it is said."""
    try:
        file.came_back(why)
    except Told as error:
        progress(f"That {file.name} was not delivered is not in the journal. {_said(error)}")


# Who gets them ------------------------------------------------------------------------------------------------------


@contextmanager
def _warehouse(found: Settings) -> Iterator[Warehouse]:
    """The warehouse of the settings. Raises SettingsError where nobody could be asked who they are, and it is no demo bank."""
    with closing(Warehouse(found.url, found.days_off, found.access.fewest_customers, limits=found.limits)) as source:
        if found.access.mode is Mode.DEMO and not source.state().is_demo:
            raise SettingsError(
                'This warehouse is not a demo bank, and [access] mode is "demo": nothing is made. Write in config.toml how the '
                "dashboard knows who is looking (README, “Who may see what”)."
            )
        yield source


@dataclass(frozen=True)
class _Reader:
    """In whose name files are made."""

    viewer: Viewer
    name: str
    holds: Callable[[], bool] = lambda: True


def _person(person: str, found: Settings, source: Warehouse) -> _Reader:
    """The person as the rules of sign-in know them now. Raises Failure, SettingsError, WarehouseError."""

    def now() -> Viewer | NotLetIn:
        return viewer_without_sign_in(person, rules_of(found.access, source), source.state().paths)

    viewer = now()
    if isinstance(viewer, NotLetIn):
        raise Failure(viewer.reason)
    if not viewer.may(Permission.EXPORT_NUMBERS):
        raise Failure(f"The role {viewer.role} does not permit to take files away.")
    return _Reader(viewer, viewer.person, lambda: now() == viewer)


def _reader(options: argparse.Namespace, found: Settings, source: Warehouse) -> _Reader:
    if options.viewer:
        return _person(options.viewer, found, source)
    if found.access.mode not in (Mode.DEMO, Mode.PUBLIC):
        raise WrongUse(
            "People sign in here: say with --viewer PERSON for whom the file is, as [access] people names them."
        )
    visitor = words(options.lang)("Visitor")
    return _Reader(Viewer(visitor, source.root(), Role.VISITOR), visitor)


def _branch(wanted: str | None, viewer: Viewer, tree: Mapping[str, str]) -> str:
    """What of `wanted` the viewer sees: it, or their own branch where that lies below it. Raises Failure where that is nothing."""
    if wanted is None:
        return viewer.branch_id
    if lies_within(wanted, viewer.branch_id, tree):
        return wanted
    if lies_within(viewer.branch_id, wanted, tree):
        return viewer.branch_id
    raise Failure(f"{viewer.person} sees nothing of branch {wanted}, only branch {viewer.branch_id}.")


def _check_branch(wanted: str | None, source: Warehouse) -> None:
    if wanted is not None and wanted not in source.state().paths:
        raise WrongUse(f"There is no branch with the id “{wanted}”")


# The commands -------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 all delivered, 2 wrongly asked for or set up, 3 some not delivered.

    Leaves by SystemExit only where argparse does: --help and wrong words.
    """
    # The cause of a failure is told here, to an operator; the log, with its references, is the server's.
    logging.getLogger("data_access").addHandler(logging.NullHandler())
    options = _parser().parse_args(arguments)
    try:
        with stoppable():
            return options.run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except RuntimeError as error:
        if not _is_interrupt(error):
            raise
        return INTERRUPTED
    except (WrongUse, SettingsError) as error:
        code, said = WRONG_USE, _said(error)
    except (Told, Failure) as error:
        code, said = NOT_DELIVERED, _said(error)
    except OSError as error:
        code, said = NOT_DELIVERED, f"{error.filename or 'A file'} cannot be read or written: {error.strerror}."
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        code, said = NOT_DELIVERED, unreadable(error)
    progress(f"{options.prog}: {said}")
    return code


def _is_interrupt(error: Exception) -> bool:
    """Whether it is an interrupt that DuckDB met in one of its statements, and wrapped."""
    return isinstance(error, RuntimeError) and isinstance(error.__cause__, KeyboardInterrupt)


def _said(error: Exception) -> str:
    return for_the_operator(error, words("en").told)


_DESCRIPTION = """Makes the files of a branch's weekly meeting. Each is made in somebody's name, holds what that person sees when
they sign in, bears a number, and is in the journal under it before it is handed over."""

_ONE_EXAMPLE = """examples:
  python deliver.py {what} --branch 12 --out meeting{ending}
  python deliver.py {what} --viewer wang.fang@bank.example {days} --lang zh_CN --out meeting{ending}"""

_MAIL = """Sends each recipient in recipients.toml their own files: what the person may see of the branch, or of their own branch
where that lies below it. Who has got the week's files is not sent them again, so a run that failed is simply started again. Where
mail is handed over is said in [mail] of config.toml; README, “Sending it by mail”, leads through it."""

_MAIL_EXAMPLES = """examples:
  python deliver.py mail --dry-run
  python deliver.py mail --branch 12
  python deliver.py mail --week 2026-11-16 --viewer wang.fang@bank.example"""

_CODES = "Exit codes: 0 all delivered, 2 wrongly asked for or set up, 3 some not delivered."


def _parser() -> Parser:
    parser = Parser(prog="deliver.py", description=_DESCRIPTION, epilog=f"{_CODES} “COMMAND --help” says more.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for what, described in (
        ("deck", "slides with native charts"),
        ("workbook", "a workbook, a sheet for each view"),
        ("report", "the complaint analysis"),
    ):
        days = "--length quarter" if what == "report" else "--week 2026-11-16"
        epilog = _ONE_EXAMPLE.format(what=what, ending=PAPERS[what].ending, days=days)
        command = commands.add_parser(
            what, help=f"write {described}", description=f"Writes {described}.", epilog=epilog
        )
        command.set_defaults(run=_one, kind=what)
        command.add_argument(
            "--viewer",
            metavar="PERSON",
            help="for whom, as [access] people names them; default: a visitor, where nobody signs in",
        )
        command.add_argument("--out", type=Path, metavar="FILE", required=True, help=f"ends in {PAPERS[what].ending}")
        if what == "report":
            lengths = [_spelt(length) for length in Length]
            add = command.add_argument
            add("--length", choices=lengths, default=lengths[0], help="the last one that is over; default: month")
            command.set_defaults(week=None)
        else:
            _add_week(command)
            command.set_defaults(length=_spelt(Length.MONTH))
        _add_shared(command, "of the file")
    command = commands.add_parser(
        "mail", help="send each recipient their own", description=_MAIL, epilog=f"{_MAIL_EXAMPLES}\n\n{_CODES}"
    )
    command.set_defaults(run=_mail)
    command.add_argument("--viewer", metavar="PERSON", help="only this recipient; default: all")
    command.add_argument(
        "--dry-run", action="store_true", help="make everything and say who would get what; send and record nothing"
    )
    _add_week(command)
    _add_shared(command, "where recipients.toml says none")
    return parser


def _add_week(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--week", type=_week, metavar="DAY", help="any day of the week, or 2026-W47; default: this week"
    )


def _add_shared(command: argparse.ArgumentParser, language: str) -> None:
    command.add_argument("--branch", metavar="ID", help="default: the person's own branch")
    command.add_argument("--lang", choices=list(LANGUAGES), default="en", help=f"{language}; default: en")


def _spelt(length: Length) -> str:
    return length.name.lower().replace("_", "-")


def _week(text: str) -> date:
    """The Monday of the week that a word means."""
    with suppress(ValueError):
        return monday_of(date.fromisoformat(text))
    raise argparse.ArgumentTypeError(f"“{text}” is no week; write a day of it, such as 2026-11-16, or 2026-W47")


def _one(options: argparse.Namespace) -> int:
    ending = PAPERS[options.kind].ending
    if options.out.suffix.lower() != ending:
        raise WrongUse(f"{options.out} is the name of something else than a {options.kind}: let it end in {ending}.")
    found = settings()
    with _warehouse(found) as source:
        _check_branch(options.branch, source)
        reader = _reader(options, found, source)
        branch = options.branch or reader.viewer.branch_id
        desk = desk_of(found, source, reader.viewer, reader.name, branch, options.lang, {}, reader.holds)
        length = next(each for each in Length if _spelt(each) == options.length)
        (file,) = _made(desk, options.week or monday_of(date.today()), [options.kind], length)
        file = replace(file, name=options.out.name)
        file.enter(f"on the command line, by {getpass.getuser()}")
        try:
            write_whole(file.content, options.out)
        except BaseException as error:
            _came_back(file, str(error) or type(error).__name__)
            raise
    progress(f"{options.out} holds the {options.kind} for {reader.viewer.person}; its number is {file.about.file_id}.")
    return 0


# mail ---------------------------------------------------------------------------------------------------------------


def _mail(options: argparse.Namespace) -> int:
    found = settings()
    if found.mail is None:
        raise SettingsError(
            "config.toml has no [mail], so nothing is sent; README, “Sending it by mail”, says what it holds."
        )
    listed = recipients(found.mail.recipients, LANGUAGES, KINDS)
    if options.viewer:
        listed = tuple(one for one in listed if one.person == Identity(options.viewer, options.viewer).person)
        if not listed:
            raise WrongUse(f"{found.mail.recipients.name} does not name {options.viewer}.")
    with _warehouse(found) as source:
        _check_branch(options.branch, source)
        rules_of(found.access, source)  # where these cannot be read nobody is sent anything, and that is said once
        run = _Run(options, found, found.mail, source, Post(found.mail, progress), meetings_of(found.access))
        missed = sum(not _told(run, recipient) for recipient in listed)
    if options.dry_run:
        print(
            f"{len(listed) - missed} of {len(listed)} recipients would have their files; nothing was sent or recorded."
        )
    else:
        _print(f"{len(listed) - missed} of {len(listed)} recipients have their files.")
    return NOT_DELIVERED if missed else 0


@dataclass(frozen=True)
class _Run:
    """What all recipients of one run have in common."""

    options: argparse.Namespace
    found: Settings
    mail: Mail
    source: Warehouse
    post: Post
    meetings: Meetings


def _told(run: _Run, recipient: Recipient) -> bool:
    """Delivers to one recipient and prints what became of it; whatever goes wrong is theirs alone. Returns whether they have it."""
    try:
        said, delivered = _delivered(run, recipient), True
    except (MailError, Failure, Told, SettingsError) as error:
        said, delivered = f"not delivered. {_said(error)}", False
    except (OSError, sa.exc.SQLAlchemyError) as error:
        said, delivered = f"not delivered. {unreadable(error)}", False
    except Exception as error:  # a fault of ours costs one recipient, not all that come after
        if _is_interrupt(error):
            raise
        said, delivered = f"not delivered. {type(error).__name__}: {error}", False
    _print(f"{recipient.person}: {said}")
    return delivered


def _print(text: str) -> None:
    """Says it on stdout; where nobody listens any more, the recipients that are left get their files all the same."""
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _delivered(run: _Run, recipient: Recipient) -> str:
    """Makes and sends a recipient's files; what was done, as the end of a sentence. Raises what kept them from being delivered."""
    options = run.options
    reader = _person(recipient.person, run.found, run.source)
    branch = _branch(options.branch, reader.viewer, run.source.state().paths)
    week = options.week or monday_of(date.today())
    key = f"meeting files: branch {branch}, week {week}, {recipient.person}, {recipient.address}"
    if at := run.meetings.sent(key):
        return f"was sent them on {_moment(at)}, and is not sent them again."
    language = recipient.language or options.lang
    desk = desk_of(run.found, run.source, reader.viewer, reader.name, branch, language, {}, reader.holds)
    files = _made(desk, week, recipient.files or USUAL)
    listed = ", ".join(f"{file.name} ({file.about.row_count:,} rows, {len(file.content):,} bytes)" for file in files)
    as_whom = f"{recipient.address}, as {reader.viewer.role} of branch {branch}, in {LANGUAGES[language]}"
    if options.dry_run:
        return f"would be sent to {as_whom}: {listed}"
    sent = False
    try:
        with run.meetings.sending(key, recipient.address) as mine:
            if mine:
                _send(run, recipient, desk, week, files, key)
                sent = True
    except MeetingsError as error:
        if not sent:
            raise
        raise Failure(
            f"They were sent, but that is not noted: the next run may send them again. {_said(error)}"
        ) from error
    if not sent:
        if at := run.meetings.sent(key):
            return f"was sent them by another run on {_moment(at)}."
        minutes = CLAIMED_FOR.seconds // 60
        raise Failure(
            "Another run is sending them, or was when it was killed: then nobody knows whether they arrived, and they are sent "
            f"again by a run that starts {minutes} minutes later."
        )
    return f"sent to {as_whom}: {listed}"


def _send(run: _Run, recipient: Recipient, desk: Desk, week: date, files: Sequence[Made], key: str) -> None:
    """The files, each entered first, in one message. Raises MailError, or Told where one may not be handed over."""
    branch, whom = desk.filters.branch.name, run.mail.whom_to_ask or run.found.access.whom_to_ask
    text = letter.text(branch, week, [(file.name, file.about) for file in files], whom, desk.say)
    attached = [Attachment(file.name, file.mime, file.content) for file in files]
    sealed = message(run.mail, recipient.address, letter.subject(branch, week, desk.say), text, attached, key)
    entered = []
    try:
        for file in files:
            file.enter(f"mailed to {recipient.address}")
            entered.append(file)
        run.post.send(recipient.address, sealed)
    except BaseException as error:
        for file in entered:
            _came_back(
                file, _said(error) if isinstance(error, Exception) else "The run was ended while it was being sent."
            )
        raise


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # a terminal or pipe of another encoding has no Chinese
    sys.exit(main())
