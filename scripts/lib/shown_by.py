"""Finds attacks of docs/security.md's threat model that name a test, suite or fuzzer which is not there.

Usage: shown_by.py PAGE TESTS
"""
import pathlib
import re
import sys

CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
PART = re.compile(r'"((?:[^"\\]|\\.)*)"')


def cases(tests):
    """The test cases, each with its path below `tests`."""
    for file in sorted(tests.rglob('*.cpp')):
        for found in CASE.finditer(file.read_text()):
            name = ''.join(PART.findall(found[1])).replace('\\"', '"')
            yield file.relative_to(tests).as_posix(), name


def attacks(page):
    """The last cells of the table whose head ends with "shown by"."""
    table = page.read_text().split('| shown by |\n', 1)[1].split('\n\n', 1)[0]
    return [row.rsplit('|', 2)[1] for row in table.split('\n')[1:]]


def is_there(suite, name, known, tests):
    if name is None:  # all of a suite, or a fuzzer
        names = (tests / 'fuzz').glob('*.cpp')
        return suite in (f'fuzz_{file.stem}' for file in names) or suite.replace('_', '/', 1) in folders(known)
    words = [re.escape(part) for part in re.split('…|\\*', name)]
    wanted = re.compile('.*'.join(words))
    below = '' if not suite else 'sim/' if suite == 'sim_actors' else suite.replace('_', '/', 1) + '/'
    return any(path.startswith(below) and wanted.match(case) for path, case in known)


def folders(known):
    return {path.rsplit('/', 1)[0] for path, _ in known}


def main():
    page, tests = map(pathlib.Path, sys.argv[1:])
    known = list(cases(tests))
    missing = []
    for cell in attacks(page):
        named = re.findall(r'`(\w+)?\s*(?:"(.*?)")?`', cell)
        if not named:
            missing.append(f'no test is named: {cell.strip()}')
        for suite, name in named:
            if not is_there(suite, name or None, known, tests):
                missing.append(f"no such test: {suite} '{name}'")
    for each in missing:
        print(f'   {page}: {each}')
    return 1 if missing else 0


sys.exit(main())
