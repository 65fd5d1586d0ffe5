"""Makes days of history out of the few requests a gateway has served: each is laid down again many times, at other times and sizes, with its
usage lines and the sums of its hours, as if it had been asked all along. The gateway must not run meanwhile.

usage: history.py DATABASE DAYS REQUESTS-A-DAY
"""

import json
import random
import sqlite3
import sys
import uuid
from collections import defaultdict
from datetime import datetime, timedelta, timezone

TOKENS = ["input_tokens", "cache_read_tokens", "cache_write5m_tokens", "cache_write1h_tokens", "output_tokens", "reasoning_tokens"]
SUMMED = [*TOKENS, "image_input_tokens", "image_output_tokens"]
ATTEMPTS = ["attempts_terminal", "attempts_partial", "attempts_estimate", "attempts_none", "attempts_unpriced"]
SUMS = ["requests", "failures", *ATTEMPTS, *SUMMED, "cost_nano_usd"]
# Requests of an hour of the day, UTC, beside each other: people work, machines go on at night.
HOURS = [3, 2, 2, 2, 3, 5, 9, 16, 24, 27, 26, 22, 25, 28, 27, 24, 20, 14, 10, 8, 7, 6, 5, 4]
WEEKEND = 0.35


def written(time):
    return time.strftime("%Y-%m-%d %H:%M:%S.%f") + " +00:00"


def id_at(time, dice):
    value = (int(time.timestamp() * 1000) << 80) | (7 << 76) | (dice.getrandbits(12) << 64) | (2 << 62) | dice.getrandbits(62)
    return uuid.UUID(int=value).bytes


def moments(now, days, a_day, dice):
    for hours_ago in range(days * 24):
        hour = (now - timedelta(hours=hours_ago)).replace(minute=0, second=0, microsecond=0)
        # Whatever today is, it is no Sunday: pictures of a quiet day show nothing.
        weekend = WEEKEND if (now - hour).days % 7 in (3, 4) else 1
        # It grows: who looks at a chart wants to see something happen.
        growth = 0.65 + 0.35 * (1 - hours_ago / (days * 24))
        count = a_day * HOURS[hour.hour] / sum(HOURS) * weekend * growth * dice.uniform(0.75, 1.25)
        for _ in range(round(count)):
            moment = hour + timedelta(seconds=dice.uniform(0, 3600))
            if moment < now:
                yield moment


def main(path, days, a_day):
    dice = random.Random(6)
    now = datetime.now(timezone.utc)
    base = sqlite3.connect(path)
    base.row_factory = sqlite3.Row
    requests = [dict(row) for row in base.execute("SELECT * FROM request_log WHERE user_id IS NOT NULL")]
    lines = defaultdict(list)
    for row in base.execute("SELECT * FROM usage_lines"):
        lines[row["request_id"]].append(dict(row))
    # What failed is rarer than what was tried out.
    weights = [0.12 if request["status"] >= 400 else 1 for request in requests]
    sums = defaultdict(lambda: dict.fromkeys(SUMS, 0))
    new_requests, new_lines = [], []
    for time in moments(now, days, a_day, dice):
        request = dict(dice.choices(requests, weights)[0])
        of_request, factor = lines[request["id"]], dice.lognormvariate(0, 0.6)
        request["id"], request["created_at"] = id_at(time, dice), written(time)
        grow(request, factor)
        new_requests.append(request)
        key = (int(time.timestamp()) // 3600, request["user_id"], request["key_id"], request["provider_id"] or 0, request["model"] or request["requested_model"] or "", request["client"])
        sums[key]["requests"] += 1
        sums[key]["failures"] += request["status"] >= 400 and request["status"] != 499
        for line in of_request:
            line = dict(line)
            line["id"], line["request_id"], line["created_at"] = id_at(time, dice), request["id"], written(time)
            grow(line, factor)
            new_lines.append(line)
            key = (key[0], line["user_id"], line["key_id"], line["provider_id"], line["model"] or line["requested_model"] or "", line["client"])
            sums[key]["attempts_" + line["settled_from"]] += 1
            sums[key]["attempts_unpriced"] += line["cost_nano_usd"] is None and line["settled_from"] != "none"
            sums[key]["cost_nano_usd"] += line["cost_nano_usd"] or 0
            for name in SUMMED:
                sums[key][name] += line[name]
    with base:
        for table, rows in (("request_log", new_requests), ("usage_lines", new_lines)):
            names = list(rows[0])
            base.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", [list(row.values()) for row in rows])
        place = ["hour", "user_id", "key_id", "provider_id", "model", "client"]
        columns = [*place, *SUMS]
        more = ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)
        base.executemany(
            f"INSERT INTO usage_hourly ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) ON CONFLICT ({', '.join(place)}) DO UPDATE SET {more}",
            [[*key, *values.values()] for key, values in sums.items()],
        )
    print(json.dumps({"requests": len(new_requests), "lines": len(new_lines), "sums": len(sums)}))


def grow(row, factor):
    """Tokens and what they cost, by the same factor."""
    for name in TOKENS:
        row[name] = round(row[name] * factor)
    if row["cost_nano_usd"] is not None:
        row["cost_nano_usd"] = round(row["cost_nano_usd"] * factor)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
