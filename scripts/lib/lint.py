#!/usr/bin/env python3
"""Runs clang-tidy over every source of a build folder that changed since it was last found clean.

usage: lint.py BUILD_FOLDER CLANG_TIDY [JOBS]

A source is known to be clean by the hash of all that its verdict depends on: the linter's version, .clang-tidy, the
compile command, and the content of the source and of every header it includes (as the last build recorded them).
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import threading


def dependencies(build):
    """Object file -> files that it was built from, out of ninja's log."""
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps" in line:
            current = found.setdefault(line.split(": #deps")[0], [])
    return found


def main():
    build, tidy = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count()
    root = pathlib.Path.cwd()
    stamps = build / "lint"
    stamps.mkdir(exist_ok=True)
    base = subprocess.run([tidy, "--version"], check=True, capture_output=True).stdout
    for config in [root / ".clang-tidy", *sorted(root.glob("[st]*/**/.clang-tidy"))]:
        base += config.read_bytes()
    built = dependencies(str(build))
    digests = {}

    def digest(path):
        if path not in digests:
            try:
                digests[path] = hashlib.sha256((build / path).read_bytes()).digest()
            except FileNotFoundError:
                digests[path] = b"gone"
        return digests[path]

    todo, clean = [], set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        parts = built.get(words[words.index("-o") + 1])
        if not parts:
            sys.exit(f"lint: '{entry['file']}' is not built: run scripts/build first")
        key = hashlib.sha256(base + entry["command"].encode())
        for part in sorted(set(parts) | {entry["file"]}):
            key.update(part.encode() + digest(part))
        stamp = stamps / key.hexdigest()
        clean.add(stamp.name)
        if not stamp.exists():
            todo.append((entry["file"], stamp))

    print(f"   lint: {len(todo)} of {len(clean)} sources changed since they were found clean", flush=True)
    lock, done, failed = threading.Lock(), 0, []

    def lint(job):
        nonlocal done
        source, stamp = job
        run = subprocess.run(
            [tidy, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option", source],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with lock:
            done += 1
            name = os.path.relpath(source, root)
            if run.returncode == 0:
                stamp.touch()
                print(f"   [{done}/{len(todo)}] {name}", flush=True)
            else:
                failed.append(name)
                said = "".join(line for line in (run.stdout + run.stderr).splitlines(keepends=True)
                               if not line.endswith(" warnings generated.\n"))
                print(f"   [{done}/{len(todo)}] {name}: FAILED\n{said}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lint, todo))
    for stamp in stamps.iterdir():
        if stamp.name not in clean:
            stamp.unlink()
    if failed:
        sys.exit("lint: not clean: " + ", ".join(sorted(failed)))


main()
