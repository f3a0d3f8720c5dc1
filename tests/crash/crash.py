"""Proves that hand-overs survive: a server is killed, its database stopped, its disk filled, while clients write and the target of the
hand-overs fails as it likes. Whatever a client was told must reach the target, and nothing else may.

What holds after every round, in the store itself:
  - the database is whole, and so is what refers to what in it;
  - every message and event that was answered is there, once, and so is every hand-over that a client was told of, with its delivery.
What holds at the end, when the target is well again and nothing is pending any more:
  - the target has taken every hand-over that a client was told of, under one conversation, and none that the server does not know;
  - a conversation has one hand-over at most, and one exactly if a client was told of it.
Deliveries that back off for minutes are asked for again at once at the end; those that somebody was at come back when their lease is over.

It is processes that die here, and not the machine: what the kernel has taken over it still writes.
"""

import argparse
import collections
import contextlib
import dataclasses
import http.client
import http.server
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FURIOUS = [
    "I am furious, nobody answers, this is the third time, give me my money back NOW",
    "This is the third time I ask and nobody answers. I am furious, your service is a disgrace!",
    "What a disgrace, I am so angry. You lied to me and I will sue you",
    "let me talk to a real person right now, I've had it with you",
]
ORDINARY = [
    "where is my order A-10293",
    "hi, do you have these shoes in size 42?",
    "thanks, that helps a lot",
    "how do I change my delivery address?",
]
CLIENTS = 16
# Clients of these that send messages of no conversation only.
STATELESS = 3
# Seconds that an answer may take, a failing database's included.
LONGEST = 12
# Seconds in which a server that lives must have found its database again.
RECOVERY = 5
MOST_PROBLEMS = 30


# What is found out.


class Problems:
    """What is wrong, each in a plain sentence, how often, and an example."""

    def __init__(self):
        self.found, self.lock = {}, threading.Lock()

    def add(self, text, example=None):
        with self.lock:
            number, first = self.found.get(text, (0, example))
            self.found[text] = (number + 1, first)

    def number(self):
        return sum(number for number, _ in self.found.values())

    def too_many(self):
        return len(self.found) >= MOST_PROBLEMS

    def texts(self):
        return [self.text(text, number, example) for text, (number, example) in list(self.found.items())[:MOST_PROBLEMS]]

    @staticmethod
    def text(text, number, example):
        times = [f"{number} times"] if number > 1 else []
        remarks = ", ".join(times + ([f"such as {example}"] if example else []))
        return f"{text} ({remarks})" if remarks else text


class Pulse:
    """Notes when the whole machine stood still, as one that is paused by its host does: what was late then is nobody's fault."""

    def __init__(self):
        self.pauses = []
        threading.Thread(target=self.beat, daemon=True).start()

    def beat(self):
        last = time.monotonic()
        while True:
            time.sleep(0.2)
            now = time.monotonic()
            if now - last > 3:
                self.pauses.append((last, now))
            last = now

    def stood_still(self, begin, end):
        # Whoever asks may have woken up before the pulse has.
        time.sleep(0.5)
        return any(since <= end and begin <= until + LONGEST for since, until in self.pauses)

    def seconds(self):
        return sum(until - since for since, until in self.pauses)


@dataclasses.dataclass(frozen=True)
class Message:
    """A message; one without a conversation is stateless."""

    conversation: str | None
    id: str
    text: str
    timestamp: str | None = None

    def __str__(self):
        return f"message {self.id} of {self.conversation or 'no conversation'}"

    def input(self):
        whole = {"id": self.id, "conversation_id": self.conversation, "text": self.text, "timestamp": self.timestamp}
        return {key: value for key, value in whole.items() if value is not None}


class Ledger:
    """What clients were told, and whether it can be true."""

    def __init__(self, problems, pulse):
        self.problems, self.pulse, self.lock = problems, pulse, threading.Lock()
        self.counts = collections.Counter()
        # What was answered to a message, and the messages that were answered as new.
        self.answers, self.new, self.events = {}, set(), set()
        # The hand-over of a conversation.
        self.told = {}
        # What was found to be missing already.
        self.lost = set()
        # Times at which the store was away: [begin, end, whether no message of a conversation can be answered meanwhile].
        self.away = []
        self.slowest = 0.0

    @contextlib.contextmanager
    def store_away(self, wholly):
        window = [time.monotonic(), None, wholly]
        self.away.append(window)
        try:
            yield
        finally:
            window[1] = time.monotonic()

    def may_fail(self, begin, end):
        """Whether the store was away at some time of a request, or a moment before."""
        return any(since <= end and (until is None or begin <= until + RECOVERY) for since, until, _ in self.away)

    def must_fail(self, begin, end):
        """Whether the store was away during the whole of a request."""
        return any(wholly and since <= begin and (until is None or end <= until) for since, until, wholly in self.away)

    def judge(self, what, stateful, status, body, begin, end):
        """Whether an answer may be as it is. Says whether what was asked is settled."""
        code = body.get("code") if isinstance(body, dict) else None
        with self.lock:
            self.counts[f"{status} {code}" if code else str(status)] += 1
            self.slowest = max(self.slowest, end - begin)
        wrong = self.wrong(stateful, status, code, begin, end)
        if wrong and not self.pulse.stood_still(begin, end):
            self.problems.add(wrong, f"{what}, after {end - begin:.1f} s")
        return status == 200

    def wrong(self, stateful, status, code, begin, end):
        """What is wrong with an answer."""
        if end - begin > LONGEST:
            return f"an answer, {status}, took more than {LONGEST} s"
        if status == 200 and stateful and self.must_fail(begin, end):
            return "a message of a conversation was answered 200 while the database was away"
        if status in (200, 429):
            return None
        if not stateful:
            return f"a message of no conversation was answered {status} {code}; it is to be answered always"
        if (status, code) != (503, "store"):
            return f"a message of a conversation was answered {status} {code}; where the store fails it is to be 503 store"
        if not self.may_fail(begin, end):
            return "a message of a conversation was answered 503 store though the store was there"
        return None

    def note(self, message, result):
        """What a complete answer says must hold from now on."""
        escalation = result["escalation"]
        handover, repeated = escalation["handover_id"], result["conversation"]["repeated"]
        gist = (result["intent"], result["sentiment"], escalation["action"], handover, result["conversation"]["turn"])
        key = (message.conversation, message.id)
        with self.lock:
            before = self.answers.setdefault(key, gist)
            twice = not repeated and key in self.new
            if not repeated:
                self.new.add(key)
            open_before = self.told.setdefault(message.conversation, handover) if handover else handover
        if before != gist:
            self.problems.add(f"message {key} was answered {before}, and again {gist}")
        if twice:
            self.problems.add(f"message {key} was taken as new twice: it was forgotten, or counted double")
        if open_before != handover:
            self.problems.add(f"conversation {message.conversation} was handed over as {open_before} and as {handover}")


# The target of hand-overs.


class Target:
    """A webhook that answers as its mood is: `well`, `flaky` or `down`."""

    def __init__(self, seed, problems):
        self.mood, self.random, self.problems, self.lock = "well", random.Random(seed), problems, threading.Lock()
        # Conversations that came under an identifier, and how often it was taken.
        self.seen, self.taken = collections.defaultdict(set), collections.Counter()
        self.counts = collections.Counter()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                target.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

            def handle_error(self, *_):
                # A server that is killed breaks off in the midst of what it says.
                error = sys.exc_info()[1]
                if not isinstance(error, (OSError, ValueError)):
                    target.problems.add(f"the target was told what it cannot read: {error!r}")

        self.server = Server(("127.0.0.1", free_port()), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        data, identifier = body["data"], request.headers["webhook-id"]
        if data["handover_id"] != identifier or body["type"] != "handover.created":
            self.problems.add(f"the target was told {body['type']} {data['handover_id']} under webhook-id {identifier}")
        with self.lock:
            self.seen[identifier].add(data["conversation_id"])
            kind = self.choose()
            self.counts[kind] += 1
            delay = self.random.uniform(0.05, 1.5)
        if kind == "slow":
            time.sleep(delay)
        if kind == "reset":
            return reset_in_the_middle(request)
        status = {"500": 500, "429": 429}.get(kind, 200)
        request.send_response(status)
        if status == 429:
            request.send_header("retry-after", "1")
        request.send_header("content-length", "2")
        request.end_headers()
        request.wfile.write(b"{}")
        request.wfile.flush()
        if status == 200:
            with self.lock:
                self.taken[identifier] += 1

    def choose(self):
        if self.mood == "well":
            return "200"
        if self.mood == "down":
            return "500"
        return self.random.choices(["200", "500", "429", "reset", "slow"], [12, 2, 1, 1, 1])[0]

    def number_taken(self):
        with self.lock:
            return len(self.taken)


def reset_in_the_middle(request):
    """Half an answer, then a reset instead of the rest."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    request.wfile.flush()
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True
    # The stream's own close would be an orderly one; the last reference's close is the reset.
    request.connection.close()


# The server.


def free_port():
    """A port that nobody listens on, below those that the system gives to connections: a client's must not take the server's while it is dead."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


class Server:
    """`hearken serve`, again and again."""

    def __init__(self, options, work, name, store, target=None, data=None, **popen):
        self.port, self.process, self.popen = free_port(), None, popen
        self.log_path = work / f"{name}.log"
        data = data or work / name
        self.command = [options.binary, "serve", "--port", str(self.port), "--model", options.model, "--data-dir", str(data), "--store", store]
        if target:
            self.command += ["--handover-url", target.url]
        # What these harnesses look for is not how soon a busy server sends clients away.
        settings = {"HEARKEN_HANDOVER_ALLOW_PRIVATE": "true", "HEARKEN_MAX_WAIT_MS": "5000", "RUST_LOG": options.log}
        self.environment = {**os.environ, **settings}

    def start(self):
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment, cwd=ROOT, **self.popen)

    def lives(self):
        return self.process is not None and self.process.poll() is None

    def wait_until_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.lives():
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.call("GET", "/readyz", timeout=2)[0] == 200:
                    return True
            time.sleep(0.02)
        return False

    def kill(self):
        """Without a warning, as `kill -9` does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """In order; gives the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def call(self, method, path, body=None, timeout=30):
        """Status and JSON of a complete answer; an exception where there was none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"content-type": "application/json"} if text else {})
            answer = connection.getresponse()
            content = answer.read()
            is_json = "json" in (answer.headers["content-type"] or "")
            return answer.status, json.loads(content) if is_json else content.decode()
        finally:
            connection.close()

    def call_well(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        if status != 200:
            raise RuntimeError(f"{method} {path} was answered {status}: {answer}")
        return answer

    def handovers(self):
        """All of them by identifier, page after page as the documentation has it."""
        found, before = {}, ""
        while True:
            page = self.call_well("GET", f"/v1/handovers?limit=200{before}")["data"]
            fresh = [row for row in page if row["id"] not in found]
            found.update((row["id"], row) for row in fresh)
            if len(page) < 200 or not fresh:
                return found
            before = "&before=" + urllib.parse.quote(page[-1]["id"])

    def panics(self):
        """Lines of the log that must not be there."""
        if not self.log_path.exists():
            return []
        with self.log_path.open(errors="replace") as log:
            return [line.strip() for line in log if "panicked" in line]


# Clients.


class Client:
    """Sends a mix of messages; what was not answered is sent again under its identifier, and some of what was."""

    def __init__(self, number, seed, ledger, stateless=False):
        self.random, self.ledger, self.name, self.stateless = random.Random(f"{seed}-{number}"), ledger, f"k{number}", stateless
        self.number, self.owed, self.settled = 0, [], []

    def work(self, server, end):
        while not end.is_set():
            if self.settled and self.random.random() < 0.03:
                self.rate(server, self.random.choice(self.settled).conversation)
            message = self.choose()
            if message.conversation and self.random.random() < 0.05:
                # A client that has lost patience sends again while the first is under way.
                impatient = threading.Thread(target=self.say, args=(server, message))
                impatient.start()
                self.say(server, message)
                impatient.join()
            elif not self.say(server, message):
                time.sleep(self.random.uniform(0.01, 0.1))
            if self.stateless:
                time.sleep(0.02)

    def choose(self):
        dice = self.random.random()
        if self.stateless or dice < 0.05:
            return self.message(None, self.random.choice(FURIOUS + ORDINARY))
        if self.owed and dice < 0.45:
            return self.owed.pop(self.random.randrange(len(self.owed)))
        if self.settled and dice < 0.55:
            return self.random.choice(self.settled)
        if self.settled and dice < 0.7:
            return self.message(self.random.choice(self.settled).conversation, self.random.choice(FURIOUS + ORDINARY))
        return self.message(f"{self.name}-{self.number}", self.random.choice(FURIOUS if self.random.random() < 0.4 else ORDINARY))

    def message(self, conversation, text):
        self.number += 1
        return Message(conversation, f"{self.name}-m{self.number}", text)

    def say(self, server, message):
        """Sends a message. Says whether it is settled."""
        body = self.ask(server, "/v1/classify", {"input": [message.input()]}, str(message), message.conversation)
        if message.conversation:
            if body:
                self.ledger.note(message, body["data"][0])
            (self.settled if body else self.owed).append(message)
            del self.settled[:-300]
        return body is not None

    def rate(self, server, conversation):
        """Sends an event, which must be there from then on if it is answered. Says whether it was."""
        self.number += 1
        event = f"{self.name}-e{self.number}"
        body = self.ask(server, "/v1/events", {"id": event, "type": "csat", "conversation_id": conversation, "score": 1}, f"event {event}", True)
        if body:
            with self.ledger.lock:
                self.ledger.events.add(event)
        return body is not None

    def ask(self, server, path, body, what, stateful):
        """The answer where it is 200."""
        begin = time.monotonic()
        try:
            status, answer = server.call("POST", path, body)
        except TimeoutError:
            if not self.ledger.pulse.stood_still(begin, time.monotonic()):
                self.ledger.problems.add("a request had no answer in 30 s", what)
            return None
        except (OSError, http.client.HTTPException, ValueError):
            with self.ledger.lock:
                self.ledger.counts["no answer"] += 1
            return None
        return answer if self.ledger.judge(what, stateful, status, answer, begin, time.monotonic()) else None

    def settle(self, server, end):
        """Sends what is owed until all of it is answered."""
        while self.owed and time.monotonic() < end:
            if not self.say(server, self.owed.pop(0)):
                time.sleep(0.2)


def clients(options, ledger):
    return [Client(number, options.seed, ledger, stateless=number < STATELESS) for number in range(CLIENTS)]


def settle(crowd, server, problems, when):
    """What is owed is sent again, under the same identifiers, until it is answered."""
    end = time.monotonic() + 60
    for client in crowd:
        client.settle(server, end)
    owed = [message for client in crowd for message in client.owed]
    if owed:
        problems.add(f"{when}: {len(owed)} messages were still not answered by a server that is well, such as {owed[0]}")


@contextlib.contextmanager
def load(crowd, server):
    """Clients at work, until it is left."""
    end = threading.Event()
    threads = [threading.Thread(target=client.work, args=(server, end)) for client in crowd]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


# Databases.


@contextlib.contextmanager
def sqlite_copy(file):
    """Asks a copy of the database of a server that is dead, so that what the server finds when it starts is as it was left."""
    with tempfile.TemporaryDirectory() as folder:
        for end in ("", "-wal"):
            if os.path.exists(f"{file}{end}"):
                shutil.copy(f"{file}{end}", f"{folder}/copy.db{end}")
        if not os.path.exists(f"{folder}/copy.db"):
            yield None
            return
        connection = sqlite3.connect(f"{folder}/copy.db")
        try:
            yield lambda sql: [tuple(row) for row in connection.execute(sql)]
        finally:
            connection.close()


class Postgres:
    """The PostgreSQL that `scripts/with-postgres` has started, with a database of its own."""

    def __init__(self):
        self.url = os.environ["HEARKEN_TEST_POSTGRES"]
        self.data = pathlib.Path(os.environ["HEARKEN_TEST_POSTGRES_DATA"])
        self.programs = pathlib.Path(os.environ["HEARKEN_TEST_POSTGRES_BIN"])
        self.port = urllib.parse.urlsplit(self.url).port
        self.name = f"crash_{os.getpid()}"
        self.psql(f"CREATE DATABASE {self.name}", "postgres")
        self.store = f"{self.url}/{self.name}"

    @staticmethod
    def is_here():
        return "HEARKEN_TEST_POSTGRES" in os.environ

    def psql(self, sql, database=None):
        command = [self.programs / "psql", "-X", "-q", "-A", "-t", "-F", "|", "-c", sql, f"{self.url}/{database or self.name}"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    def rows(self, sql):
        return [tuple(line.split("|")) for line in self.psql(sql).splitlines()]

    def control(self, *arguments):
        """PostgreSQL runs as whoever owns its data."""
        owner = self.data.stat()
        others = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [self.programs / "pg_ctl", "--pgdata", self.data, "--wait", *arguments]
        nothing = subprocess.DEVNULL
        subprocess.run(command, check=True, stdin=nothing, stdout=nothing, stderr=nothing, cwd=self.data.parent, timeout=120, **others)

    def stop(self):
        self.control("--mode", "immediate", "stop")

    def start(self):
        folder = self.data.parent
        options = f"-p {self.port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
        self.control("--log", str(folder / "log"), "--options", options, "start")


NOT_THERE = [
    ("messages without their conversation", "SELECT COUNT(*) FROM messages WHERE conversation NOT IN (SELECT id FROM conversations)"),
    (
        "conversations with another number of turns than they say",
        "SELECT COUNT(*) FROM conversations c WHERE turns <> (SELECT COUNT(*) FROM messages m WHERE m.conversation = c.id)",
    ),
    ("hand-overs without their conversation", "SELECT COUNT(*) FROM handovers WHERE conversation NOT IN (SELECT id FROM conversations)"),
    ("hand-overs without a delivery", "SELECT COUNT(*) FROM handovers WHERE id NOT IN (SELECT handover FROM deliveries)"),
    ("deliveries without their hand-over", "SELECT COUNT(*) FROM deliveries WHERE handover NOT IN (SELECT id FROM handovers)"),
    (
        "open hand-overs that are not there",
        "SELECT COUNT(*) FROM conversations WHERE handover IS NOT NULL AND handover NOT IN (SELECT id FROM handovers)",
    ),
    ("conversations with several hand-overs", "SELECT COUNT(*) FROM (SELECT 1 FROM handovers GROUP BY conversation HAVING COUNT(*) > 1) AS several"),
    ("deliveries that were given up", "SELECT COUNT(*) FROM deliveries WHERE state = 'dead'"),
]


def check_store(rows, ledger, problems, when):
    """What holds in the store at any time."""
    for what, sql in NOT_THERE:
        number = int(rows(sql)[0][0])
        if number:
            problems.add(f"{when}: {number} {what}")
    stored = dict(rows("SELECT id, conversation FROM handovers"))
    lost = [f"hand-over {handover} of {conversation}" for conversation, handover in ledger.told.items() if stored.get(handover) != conversation]
    lost += [f"message {key}" for key in ledger.answers.keys() - set(rows("SELECT conversation, id FROM messages"))]
    lost += [f"event {event}" for event in ledger.events - {event for (event,) in rows("SELECT id FROM events")}]
    for what in lost:
        if what not in ledger.lost:
            problems.add(f"{when}: {what} was answered and is not in the store")
    ledger.lost.update(lost)


def check_sqlite(file, ledger, problems, when):
    with sqlite_copy(file) as rows:
        if rows is None:
            if ledger.answers:
                problems.add(f"{when}: there is no database")
            return
        whole = [text for (text,) in rows("PRAGMA integrity_check")]
        if whole != ["ok"]:
            problems.add(f"{when}: the database is broken: {whole[:3]}")
            return
        # Killed before there was a schema.
        if rows("SELECT name FROM sqlite_master WHERE name = 'events'"):
            check_store(rows, ledger, problems, when)
        elif ledger.answers:
            problems.add(f"{when}: the database is empty")


# The end of a run.


def drain(server, target, patience):
    """Waits until nothing is pending; gives what still is after `patience` seconds without any progress."""
    # Turns of about a second are counted, and not time: the machine may stand still.
    idle, last = 0, -1
    while True:
        pending = server.call_well("GET", "/v1/handovers?delivery=pending&limit=200")["data"]
        if not pending:
            return []
        idle, last = (0 if target.number_taken() != last else idle + 1), target.number_taken()
        if idle > patience:
            return pending
        soon = datetime.now(timezone.utc) + timedelta(seconds=5)
        for row in pending:
            due = [delivery["due"] for delivery in row["deliveries"] if delivery["due"]]
            if due and datetime.fromisoformat(due[0].replace("Z", "+00:00")) > soon:
                # It may have been delivered in this moment.
                server.call("POST", f"/v1/handovers/{row['id']}/retry")
        time.sleep(1)


def reckon(server, target, ledger, problems):
    """What was told, what the server has, and what the target has taken are the same."""
    listed = server.handovers()
    conversations = collections.defaultdict(set)
    for identifier, row in listed.items():
        conversations[row["conversation_id"]].add(identifier)
        states = [delivery["state"] for delivery in row["deliveries"]]
        if states != ["delivered"]:
            problems.add(f"hand-over {identifier} of {row['conversation_id']} has the deliveries {states} at the end")
        if identifier not in target.taken:
            problems.add(f"hand-over {identifier} of {row['conversation_id']} was never taken by the target")
    for conversation, handover in ledger.told.items():
        if handover not in target.taken:
            problems.add(f"hand-over {handover} of {conversation} was told to a client and never taken by the target")
    heard = [(handover, conversation) for conversation, handover in ledger.told.items()]
    for identifier, told in target.seen.items():
        heard += [(identifier, conversation) for conversation in told]
        if len(told) > 1:
            problems.add(f"hand-over {identifier} came to the target with the conversations {sorted(told)}")
    check_heard(server, listed, set(heard), problems)
    for conversation, identifiers in conversations.items():
        if len(identifiers) > 1:
            problems.add(f"conversation {conversation} has several hand-overs: {sorted(identifiers)}")
    return listed


def check_heard(server, listed, heard, problems):
    """The server knows the hand-overs that others have heard of, each alone and in the list."""
    on_no_page = []
    for identifier, conversation in sorted(heard):
        row = listed.get(identifier)
        if row is None:
            status, row = server.call("GET", f"/v1/handovers/{identifier}")
            if status != 200:
                problems.add(f"hand-over {identifier} of {conversation} is unknown to the server: {status}")
                continue
            on_no_page.append(f"{identifier} at {row['at']}")
        if row["conversation_id"] != conversation:
            problems.add(f"hand-over {identifier} is of {conversation}, and the server says of {row['conversation_id']}")
    if on_no_page:
        problems.add(f"{len(on_no_page)} hand-overs are there but on no page of GET /v1/handovers?before=…, such as {on_no_page[:3]}")


def finish(run, server, crowd):
    """The target is well: what is owed is sent, and the books are balanced."""
    run.target.mood = "well"
    if not server.lives():
        server.start()
    if not server.wait_until_ready():
        run.problems.add("at the end the server does not start")
        return
    settle(crowd, server, run.problems, "at the end")
    run.say("the target is well again; waiting until nothing is pending")
    pending = drain(server, run.target, run.options.patience)
    if pending:
        run.problems.add(f"{len(pending)} or more hand-overs are still pending at the end, such as {pending[0]}")
    listed = reckon(server, run.target, run.ledger, run.problems)
    if not run.ledger.told:
        run.problems.add("no client was told of any hand-over, so nothing was proved")
    run.facts["in the list"] = len(listed)
    if server.stop() != 0:
        run.problems.add("the server did not stop in order at the end")


# A run.


class Run:
    """One command: its options, what it found, and how it goes."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.problems = Problems()
        self.pulse = Pulse()
        self.ledger = Ledger(self.problems, self.pulse)
        self.random = random.Random(options.seed)
        self.target = Target(f"{options.seed}-target", self.problems)
        self.servers, self.facts = [], collections.Counter()
        self.began = self.shown = time.monotonic()

    def server(self, name, store, **more):
        server = Server(self.options, self.work, name, store, **more)
        self.servers.append(server)
        return server

    def chance(self, share):
        return self.random.random() < share

    def rounds(self):
        """The rounds, with a word on how far it is; a run that goes wrong ends early."""
        for number in range(1, self.options.rounds + 1):
            if self.problems.too_many():
                self.say(f"given up after {number - 1} rounds: too much is wrong")
                return
            yield number
            self.facts["rounds"] = number
            self.progress(number, self.options.rounds)

    def progress(self, done, most, what="round"):
        now = time.monotonic()
        left = (now - self.began) / done * (most - done)
        line = f"{what} {done}/{most}  answered {len(self.ledger.answers)}  told {len(self.ledger.told)}  "
        line += f"taken {self.target.number_taken()}  problems {self.problems.number()}  {left / 60:.1f} min left"
        if sys.stderr.isatty():
            print(f"\r\033[K{line}", end="\n" if done == most else "", file=sys.stderr, flush=True)
        elif now - self.shown > 15 or done == most:
            self.shown = now
            print(line, file=sys.stderr, flush=True)

    def say(self, text):
        print(f"\r\033[K{text}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)

    def summary(self):
        taken = list(self.target.taken.values())
        return {
            "command": self.options.command,
            "seed": self.options.seed,
            "passed": not self.problems.found,
            "seconds": round(time.monotonic() - self.began, 1),
            "facts": dict(self.facts),
            "messages answered": len(self.ledger.answers),
            "events answered": len(self.ledger.events),
            "hand-overs told": len(self.ledger.told),
            "hand-overs taken": len(taken),
            "taken more than once": sum(number > 1 for number in taken),
            "slowest answer": round(self.ledger.slowest, 2),
            "answers": dict(sorted(self.ledger.counts.items())),
            "answers of the target": dict(sorted(self.target.counts.items())),
            "problems": self.problems.number(),
            "seconds that the machine stood still": round(self.pulse.seconds(), 1),
            "such as": self.problems.texts(),
        }

    def end(self):
        for server in self.servers:
            server.kill()
            for line in server.panics():
                self.problems.add(f"the server panicked: {line}")


def set_mood(run):
    run.target.mood = run.random.choices(["flaky", "well", "down"], [7, 2, 1])[0]


def start_and_kill(run, server, crowd):
    """A start, load, and a kill in the midst of it, or in the midst of the start."""
    server.start()
    if run.chance(0.1):
        time.sleep(run.random.uniform(0, 0.5))
        server.kill()
        run.facts["killed while starting"] += 1
        return
    if not server.wait_until_ready():
        run.problems.add("the server does not start")
        server.kill()
        return
    with load(crowd, server):
        time.sleep(run.random.uniform(0.1, 1.5))
        kill_alive(run, server)


def kill_alive(run, server):
    if not server.lives():
        run.problems.add(f"the server ended by itself with {server.process.returncode}")
    server.kill()
    run.facts["killed under load"] += 1


# The commands.


def sqlite(run):
    """Kills of a server on one data directory."""
    file = run.work / "data" / "hearken.db"
    server = run.server("server", "sqlite", target=run.target, data=file.parent)
    crowd = clients(run.options, run.ledger)
    for number in run.rounds():
        set_mood(run)
        start_and_kill(run, server, crowd)
        check_sqlite(file, run.ledger, run.problems, f"after round {number}")
    finish(run, server, crowd)
    check_sqlite(file, run.ledger, run.problems, "at the end")
    run.facts["megabytes"] = file.stat().st_size >> 20


def postgres(run):
    """Kills of a server, of its PostgreSQL, and of both; restarts of PostgreSQL while nobody asks."""
    if not Postgres.is_here():
        return "HEARKEN_TEST_POSTGRES is not set; scripts/with-postgres sets it where PostgreSQL is installed"
    database = Postgres()
    server = run.server("server", database.store, target=run.target)
    crowd = clients(run.options, run.ledger)
    kinds = {"server": lambda: start_and_kill(run, server, crowd), "database": lambda: stop_database(run, server, database, crowd, False)}
    kinds["both"] = lambda: stop_database(run, server, database, crowd, True)
    kinds["unnoticed"] = lambda: restart_unnoticed(run, server, database, crowd)
    for number in run.rounds():
        set_mood(run)
        kind = "unnoticed" if number % 10 == 5 else run.random.choices(list(kinds), [2, 2, 1, 0])[0]
        if kind == "server" and server.lives():
            server.kill()
        kinds[kind]()
        run.facts[f"rounds of {kind}"] += 1
        check_store(database.rows, run.ledger, run.problems, f"after round {number}, of {kind}")
    finish(run, server, crowd)
    check_store(database.rows, run.ledger, run.problems, "at the end")


def is_up(run, server):
    """Whether the server answers, started where it does not live."""
    if not server.lives():
        server.start()
    if server.wait_until_ready():
        return True
    run.problems.add("the server does not start")
    server.kill()
    return False


def stop_database(run, server, database, crowd, kill):
    """PostgreSQL goes away under load, and comes again; the server lives on, or is killed meanwhile."""
    if not is_up(run, server):
        return
    # For longer than the server waits for a connection, or not.
    pause = run.random.uniform(5.5, 9) if run.chance(0.4) else run.random.uniform(0, 2)
    with load(crowd, server):
        time.sleep(run.random.uniform(0.1, 1))
        # What is asked while it stops or starts may be answered or not.
        with run.ledger.store_away(wholly=False):
            database.stop()
            with run.ledger.store_away(wholly=True):
                time.sleep(pause)
                if kill:
                    kill_alive(run, server)
            database.start()
        if not kill:
            time.sleep(run.random.uniform(0.1, 1))
    if not kill:
        wait_for_store(run, server, "PostgreSQL was there again")


def restart_unnoticed(run, server, database, crowd):
    """PostgreSQL is restarted while nobody asks; who asks a while later does not learn of it."""
    if not is_up(run, server):
        return
    with load(crowd, server):
        time.sleep(0.5)
    with run.ledger.store_away(wholly=False):
        database.stop()
        database.start()
    time.sleep(RECOVERY + 1)
    with load(crowd, server):
        time.sleep(0.5)


def wait_for_store(run, server, what):
    """Whether a server that lived finds its store again."""
    client = Client(f"w{run.facts['rounds']}", run.options.seed, run.ledger)
    message, begin = client.message(f"{client.name}-c", ORDINARY[0]), time.monotonic()
    while not client.say(server, message):
        if time.monotonic() - begin > RECOVERY:
            if run.pulse.stood_still(begin, time.monotonic()):
                begin = time.monotonic()
                continue
            run.problems.add(f"{RECOVERY} s after {what} the server still answers that the store fails")
            return False
        time.sleep(0.1)
    run.facts["recoveries without a restart"] += 1
    return True


class SmallDisk:
    """A file system of its own, in memory, that can be filled."""

    remains_full = True

    def __init__(self, folder, megabytes):
        self.folder, self.filler = folder, folder / "filler"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True, capture_output=True, text=True)

    def fill(self, _server):
        with contextlib.suppress(OSError), self.filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self, _server):
        self.filler.unlink()

    def close(self):
        subprocess.run(["umount", self.folder], check=True)


class SizeLimit:
    """Where nothing can be mounted: no file of the server's may grow any more."""

    remains_full = False

    def __init__(self, folder):
        self.folder = folder

    def fill(self, server):
        largest = max((file.stat().st_size for file in self.folder.iterdir()), default=0)
        _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (largest, most))

    def free(self, server):
        if server.lives():
            _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, most))

    def close(self):
        pass


def small_disk(run, folder):
    folder.mkdir()
    if run.options.disk != "limit":
        try:
            return SmallDisk(folder, 32 + 16 * run.options.rounds)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or str(error)
            if run.options.disk == "tmpfs":
                return f"a small disk cannot be mounted: {reason.strip()}"
            run.say(f"a small disk cannot be mounted ({reason.strip()}); files are kept from growing instead")
    return SizeLimit(folder)


def full_disk(run):
    """A disk that fills up under load, and has room again."""
    disk = small_disk(run, run.work / "disk")
    if isinstance(disk, str):
        return disk
    try:
        # With SIGXFSZ ignored, as it is here, a file that may not grow is an error to the server and not its end.
        server = run.server("server", "sqlite", target=run.target, data=disk.folder, restore_signals=False)
        file, crowd = disk.folder / "hearken.db", clients(run.options, run.ledger)
        for number in run.rounds():
            set_mood(run)
            fill_and_free(run, server, disk, crowd, file, number)
        finish(run, server, crowd)
        check_sqlite(file, run.ledger, run.problems, "at the end")
    finally:
        run.end()
        if run.problems.found:
            shutil.copytree(disk.folder, run.work / "data", ignore=shutil.ignore_patterns("filler"))
        disk.close()


def fill_and_free(run, server, disk, crowd, file, number):
    server.start()
    if not server.wait_until_ready():
        run.problems.add("the server does not start on a disk that has room")
        return
    with load(crowd, server):
        time.sleep(run.random.uniform(0.5, 1.5))
    dies = run.chance(0.5)
    with run.ledger.store_away(wholly=False):
        disk.fill(server)
        write_until_refused(run, server, crowd)
        if dies:
            kill_alive(run, server)
            check_sqlite(file, run.ledger, run.problems, f"after a kill on a full disk in round {number}")
            start_on_full_disk(run, server, disk, crowd)
        disk.free(server)
    if not server.lives():
        server.start()
        server.wait_until_ready()
    # Whichever connection to the database the server takes for them: what it answers must be there.
    with run.ledger.store_away(wholly=False):
        for client in crowd:
            if client.settled:
                client.rate(server, client.settled[-1].conversation)
    if not wait_for_store(run, server, "the disk had room again"):
        run.facts["restarts that were needed"] += 1
        server.kill()
        server.start()
        server.wait_until_ready()
    settle(crowd, server, run.problems, f"in round {number}, with room on the disk again")
    kill_alive(run, server)
    check_sqlite(file, run.ledger, run.problems, f"after round {number}")


def write_until_refused(run, server, crowd, number=30, seconds=60):
    """Messages until the store refuses them; the database may have room of its own for a while."""
    before, end = run.ledger.counts["503 store"], time.monotonic() + seconds
    with load(crowd, server):
        while run.ledger.counts["503 store"] < before + number and time.monotonic() < end and server.lives():
            time.sleep(0.05)
    if not server.lives():
        run.problems.add(f"on a full disk the server ended with {server.process.returncode}")
    elif run.ledger.counts["503 store"] < before + number:
        run.problems.add(f"on a full disk only {run.ledger.counts['503 store'] - before} messages were refused in {seconds} s")
    run.facts["refused on a full disk"] += run.ledger.counts["503 store"] - before


def start_on_full_disk(run, server, disk, crowd):
    """It starts, or says why not and ends in order."""
    if not disk.remains_full:
        return
    server.start()
    if server.wait_until_ready(20):
        run.facts["starts on a full disk"] += 1
        with load(crowd, server):
            time.sleep(1)
        if not server.lives():
            run.problems.add(f"started on a full disk, the server ended with {server.process.returncode}")
    elif server.lives():
        run.problems.add("on a full disk the server neither starts nor ends within 20 s")
        server.kill()
    else:
        run.facts["refusals to start on a full disk"] += 1
        if server.process.returncode != 1:
            run.problems.add(f"started on a full disk, the server ended with {server.process.returncode}")


def replicas(run):
    """Two servers on one PostgreSQL decide as one server on its own does."""
    if not Postgres.is_here():
        return "HEARKEN_TEST_POSTGRES is not set; scripts/with-postgres sets it where PostgreSQL is installed"
    database = Postgres()
    pair = [run.server(name, database.store, target=run.target) for name in ("one", "two")]
    reference = run.server("reference", "sqlite")
    for server in [*pair, reference]:
        server.start()
    if not all(server.wait_until_ready() for server in [*pair, reference]):
        run.problems.add("not every server starts")
        return None
    talks = conversations(run.random, run.options.conversations)
    found = talk_to_both(run, pair, talks)
    run.say(f"{sum(map(len, talks))} messages answered by two replicas; now by one server")
    expected, alone = [], Ledger(run.problems, run.pulse)
    for number, talk in enumerate(talks, 1):
        expected.append([ask_until_answered(reference, alone, message) for message in talk])
        run.progress(number, len(talks), "conversation")
    for talk, answers, others in zip(talks, found, expected):
        for message, answer, other in zip(talk, answers, others):
            compare(run, message, answer, other)
    if pair[1].stop() != 0:
        run.problems.add("the second replica did not stop in order")
    finish(run, pair[0], [])
    check_store(database.rows, run.ledger, run.problems, "at the end")
    twice = {identifier: number for identifier, number in run.target.taken.items() if number > 1}
    if twice:
        run.problems.add(f"a target that is well was told more than once of {twice}")
    if run.ledger.told.keys() != alone.told.keys():
        run.problems.add(f"handed over by one only: {sorted(run.ledger.told.keys() ^ alone.told.keys())}")
    run.facts["messages compared"] = sum(map(len, talks))
    return None


def conversations(dice, number):
    """Conversations of 6 to 10 messages: real ones one after the other, or messages of them at random."""
    real = collections.defaultdict(list)
    for file in ("test.jsonl", "train.jsonl"):
        for line in (ROOT / "training-data" / "storefront-en" / file).read_text().splitlines():
            row = json.loads(line)
            if row.get("conversation") is not None and row.get("turn") is not None:
                real[row["conversation"]].append((row["turn"], row["text"]))
    real = [[text for _, text in sorted(rows)] for _, rows in sorted(real.items())]
    every = [text for texts in real for text in texts]
    return [conversation(dice, f"c{index}", real, every) for index in range(number)]


def conversation(dice, name, real, every):
    length, texts = dice.randint(6, 10), []
    while len(texts) < length:
        texts += dice.choice(real) if dice.random() < 0.7 else [dice.choice(every)]
    # So close together that no silence ends an episode.
    at, messages = datetime(2026, 1, 5, 9, tzinfo=timezone.utc) + timedelta(seconds=dice.randrange(86400)), []
    for number, text in enumerate(texts[:length]):
        at += timedelta(milliseconds=dice.randrange(1000, 300_000))
        messages.append(Message(name, f"m{number}", text, at.isoformat(timespec="milliseconds")))
    return messages


def talk_to_both(run, pair, talks):
    """All conversations at once, each from one replica to the other and back; now and then both are asked the same."""
    found = [[] for _ in talks]

    def talk(index):
        dice = random.Random(f"{run.options.seed}-{index}")
        for number, message in enumerate(talks[index]):
            this, other = pair[(index + number) % 2], pair[(index + number + 1) % 2]
            found[index].append(ask_until_answered(this, run.ledger, message))
            if dice.random() < 0.1:
                ask_until_answered(other, run.ledger, message)

    threads = [threading.Thread(target=talk, args=(index,)) for index in range(len(talks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def ask_until_answered(server, ledger, message, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, body = server.call("POST", "/v1/classify", {"input": [message.input()]})
            if ledger.judge(str(message), True, status, body, begin, time.monotonic()):
                ledger.note(message, body["data"][0])
                return body["data"][0]
        time.sleep(0.1)
    ledger.problems.add(f"message {message.id} of {message.conversation} was not answered in {seconds} s")
    return None


def compare(run, message, answer, other):
    """What must not depend on who answered."""
    if answer is None or other is None:
        return
    what = {key: (answer[key], other[key]) for key in ("status", "intent", "sentiment")}
    what["turn"] = (answer["conversation"]["turn"], other["conversation"]["turn"])
    for key in ("recommended", "action", "priority", "reasons"):
        what[f"escalation.{key}"] = (answer["escalation"].get(key), other["escalation"].get(key))
    for key, (here, there) in what.items():
        if here != there:
            run.facts["differences"] += 1
            run.problems.add(f"{key} of {message.id} of {message.conversation}: {here} by replicas, {there} by one server; the text: {message.text!r}")


COMMANDS = {
    "sqlite": (sqlite, "kills of a server on one data directory", 200),
    "postgres": (postgres, "kills of a server, of its PostgreSQL, and of both", 200),
    "full-disk": (full_disk, "a disk that fills up under load, and has room again", 6),
    "replicas": (replicas, "two servers on one PostgreSQL decide as one server does", None),
}


def read_options():
    examples = """examples:
  tests/crash/run sqlite --rounds 10
  tests/crash/run postgres --rounds 200 --seed 7 --json crash.json
  python3 tests/crash/crash.py full-disk --binary target/release/hearken
  scripts/with-postgres python3 tests/crash/crash.py replicas --conversations 50

exit codes: 0 every hand-over survived, or the command was left out with a word; 1 something is wrong; 2 usage"""
    raw = argparse.RawDescriptionHelpFormatter
    about = "Proves that hand-overs survive crashes of the server, of its database, and a full disk."
    parser = argparse.ArgumentParser(description=about, epilog=examples, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text, rounds) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=examples, formatter_class=raw)
        command.add_argument("--binary", default="target/release/hearken", help="the server's program [default: %(default)s]")
        command.add_argument("--model", default="models/storefront-en", help="model [default: %(default)s]")
        command.add_argument("--seed", type=int, default=1, help="of what happens by chance [default: %(default)s]")
        command.add_argument("--work", metavar="DIR", help="folder for data and logs, kept [default: one that is kept only where something is wrong]")
        command.add_argument("--json", metavar="FILE", help="write a summary")
        command.add_argument("--log", default="warn", help="log level of the server [default: %(default)s]")
        command.add_argument(
            "--patience", type=int, default=150, metavar="SECONDS", help="wait at the end without any progress; a lease is 90 [default: %(default)s]"
        )
        if rounds:
            command.add_argument("--rounds", type=int, default=rounds, help="[default: %(default)s]")
        if name == "replicas":
            command.add_argument("--conversations", type=int, default=200, help="[default: %(default)s]")
        if name == "full-disk":
            command.add_argument(
                "--disk",
                choices=["auto", "tmpfs", "limit"],
                default="auto",
                help="a disk in memory, or a limit on the size of files; auto takes the first that is allowed [default: %(default)s]",
            )
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} is no program; `cargo build --release` makes it, --binary names another")
    options.binary = os.path.abspath(options.binary)
    return options


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    options = read_options()
    # Whoever ends this ends its servers.
    signal.signal(signal.SIGTERM, interrupted)
    work = pathlib.Path(options.work or tempfile.mkdtemp(prefix="hearken-crash-"))
    work.mkdir(parents=True, exist_ok=True)
    if any(work.iterdir()):
        sys.exit(f"{work} is not empty; name another folder with --work")
    run = Run(options, work)
    left_out = None
    try:
        left_out = COMMANDS[options.command][0](run)
    except KeyboardInterrupt:
        run.problems.add("interrupted")
    except (OSError, RuntimeError, http.client.HTTPException, sqlite3.Error, subprocess.SubprocessError) as error:
        run.problems.add(f"the run broke off: {error!r}")
    finally:
        run.end()
    summary = run.summary()
    if left_out:
        summary["left out"] = left_out
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(summary, indent=2) + "\n")
    if left_out:
        print(f"{options.command} was left out: {left_out}")
    else:
        tell(summary)
    if summary["passed"] and not options.work:
        shutil.rmtree(work)
    elif not summary["passed"]:
        print(f"data and logs are in {work}")
    return 0 if summary["passed"] else 1


def tell(summary):
    for key, value in summary.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name}: {number}" for name, number in value.items())
        if not isinstance(value, list):
            print(f"{key}: {value}")
    for text in summary["such as"]:
        print(f"WRONG: {text}")
    print("every hand-over survived" if summary["passed"] else f"{summary['problems']} things are wrong")


if __name__ == "__main__":
    sys.exit(main())
