"""No password is shown, and nothing else is changed."""

import json
import logging
import sys
import time

import pytest

from gibbsflow.workflow.credentials import DiscreetFormatter, holds_password, masked, without_passwords


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:canary@host:5432/name", "postgresql://me@host:5432/name"),
        ("postgresql://:canary@host/name: no answer", "postgresql://@host/name: no answer"),
        ("https://me:ca:n@ry@host/x and https://you:canary@host", "https://me@host/x and https://you@host"),
        ("'postgresql://host/db?user=me&password=canary&port=1'", "'postgresql://host/db?user=me&password=***&port=1'"),
        ("--export=AWS_SECRET_ACCESS_KEY=1,GITHUB_TOKEN=canary", "--export=AWS_SECRET_ACCESS_KEY=1,GITHUB_TOKEN=***"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert without_passwords(text) == shown
    assert holds_password(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me@host/name",
        "a/path:with@signs.db",
        "http://host:80/a@b",
        "C[C@@H](O)C#N",
        "tokens: 3",
        "--pass=1",
    ],
)
def test_all_else_is_left(text: str) -> None:
    assert without_passwords(text) == text and not holds_password(text)


def test_log_lines_and_their_tracebacks() -> None:
    try:
        raise ValueError("postgresql://me:canary@host/db")
    except ValueError:
        record = logging.LogRecord("a", 20, "f", 1, "to %s", ("postgresql://me:canary@host/db",), sys.exc_info())
    text = DiscreetFormatter("%(message)s").format(record)
    assert text.startswith("to postgresql://me@host/db") and "ValueError" in text and "canary" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"token": "abc", "steps": 5', '"token": "***", "steps": 5'),
        ('"password": "two \\"words\\" and more"', '"password": "***"'),
        (json.dumps(['{"api_key": "a b"}']), json.dumps(['{"api_key": "***"}'])),
        ("x-api-key: abc and --private-key=abc", "x-api-key: *** and --private-key=***"),
        (
            "https://me.blob.core.windows.net/x?sp=r&sig=a%2Fb%3D&se=1",
            "https://me.blob.core.windows.net/x?sp=r&sig=***&se=1",
        ),
        ("sqlplus --db-password two", "sqlplus --db-password ***"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("Authorization: Token abc", "Authorization: Token ***"),
        (
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY----- *** -----END PRIVATE KEY-----",
        ),
        ("to https://hooks.example.org/T0/B0/x", "to https://***"),
        ("TOWER_ACCESS_TOKEN='x'", "TOWER_ACCESS_TOKEN='***'"),
        ("postgresql://me:word@host/db", "postgresql://me@host/db"),
        ("password: x and more", "password: *** and more"),
        ("AWS_SECRET_ACCESS_KEY=abc/def+1", "AWS_SECRET_ACCESS_KEY=***"),
        ("export TOWER_ACCESS_TOKEN=eyJ0", "export TOWER_ACCESS_TOKEN=***"),
        ("proxy-authorization: Basic dXNlcjpwdw==", "proxy-authorization: Basic ***"),
        ("from ftp://me:word@host:21/x", "from ftp://me@host:21/x"),
        ("kept\n...\nYWJj\nZGVm\n-----END RSA PRIVATE KEY-----", "kept\n...\n*** -----END RSA PRIVATE KEY-----"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_masks(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    "word", ["token", "a-", "http://", "secret ", "\\", "YWJj\n", "eyJ", "eyJab.", "sk-", "password ", "-u a:", "AKIA"]
)
def test_a_long_line_is_masked_in_time(word):
    began = time.process_time()
    masked(word * (200_000 // len(word)))
    assert time.process_time() - began < 5  # hours, where every start of a word has all of it tried


WORD = "c4naRy" * 7  # tokens are put together here, so that no scanner of repositories takes this file for a leak
JWT = f"eyJ{WORD}.eyJ{WORD}.{WORD}-_"
AWS_ID, AWS_SECRET = "AKIA" + "Q3EXAMPLEKEY7XYZ", "wJalr" + "XUtnFEMI/K7MDENG+bPxRfiCYc4naRy0KEY"


@pytest.mark.parametrize(
    "text",
    [
        "mysql: password hunter2 was tried",
        "the password is canary, said the prompt",
        "machine example.org login me password canary",
        f"token {WORD}",
        f"Authorization: Bearer {WORD}",
        f"-H 'Authorization: {WORD}'",
        f"curl -u me:{WORD} https://example.org",
        f"scp a b; curl -u me:{WORD} https://example.org",
        f"scp failed, so curl -u me:{WORD} https://example.org",
        f"rsync x host:y && wget --user me:{WORD} z",
        f"rsync --user me:{WORD} z",
        f"my-scp -u me:{WORD}",
        f"bearer {WORD}",
        f"got {JWT} from the server",
        f"SLURM_JWT={WORD}",
        f"TOWER_ACCESS_TOKEN={WORD}",
        "eyJ0aWQi" + WORD,
        f"MUNGE:{WORD}:",
        f"X-SLURM-USER-TOKEN: {WORD}",
        "sk-" + WORD,
        "sk-proj-" + WORD[:20] + "-" + WORD[:20],
        "sk-ant-api03-" + WORD,
        "sk_live_" + WORD,
        *(f"{kind}_{WORD}" for kind in ("ghp", "gho", "ghs", "github_pat", "hf", "npm")),
        "glpat-" + WORD,
        "xoxb-" + WORD,
        "AIza" + WORD,
        AWS_ID,
        f"{AWS_ID} {AWS_SECRET}",
        f"[default]\naws_access_key_id = {AWS_ID}\naws_secret_access_key = {AWS_SECRET}",
        f"tower:\n  accessToken: {WORD}\n",
        f"token: |\n  {WORD}\n",
        f'{{"token": "{WORD}"}}',
        f"https://me:{WORD}@host/x",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{WORD}\n{WORD}\n-----END OPENSSH PRIVATE KEY-----",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{WORD}\n-----END PGP PRIVATE KEY BLOCK-----",
        f"-----BEGIN RSA PRIVATE KEY-----\\n{WORD}",
    ],
)
def test_no_secret_passes(text: str) -> None:
    shown = masked(text)
    assert "***" in shown or "me@host" in shown
    assert not any(word in shown for word in (WORD[:12], "hunter2", "canary", AWS_ID[4:], AWS_SECRET[:9])), shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "CC(=O)Oc1ccccc1C(=O)O aspirin [O-][N+](=O)c1ccc(cc1)C#N C[C@@H](O)/C=C/c1ccc2[nH]ccc2c1",
        "InChI=1S/C9H8O4/c1-6(10)13-8-5-3-2-4-7(8)9(11)12/h2-5H,1H3,(H,11,12)",
        "BSYNRYMUTXBXSQ-UHFFFAOYSA-N AKIABCDEFGHIJK-UHFFFAOYSA-N ASIAQRSTUVWXYZ-UHFFFAOYSA-N",
        "sha256 " + "0a1b2c3d" * 8 + " commit " + "0a1b2c3d" * 5,
        "/work/Users/Anna2/state/demo/cb7/b2/complex/replicate_0/window_00/energies.parquet",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "eyJhIjogMSwgImIiOiBbMSwgMiwgM119",
        "password authentication failed for user me; no password given; the password is wrong",
        "hf_energy_kcal_per_mol_of_all_conformers_12 gho_energy sk-learn-intelex-extension-for-numpy-2",
        "gamma-secretase: -9.5, secretin: 3, secretion: high, secreted: yes",
        "basic residues and basic structures, a bearer molecule of charge",
        "token: null\nsecret: false",
        "token 3 of 5, the secret of long simulations, token limit",
        "docker run -u 1000:1000 image, ls -u here",
        "scp -u me:dir there",
        "rsync -av -u cluster:results/demo .",
        "1-[(2S)-3-mercapto-2-methylpropanoyl]-L-proline; task-aBcDeFgH1234567890aBcDeFgH",
        "HETATM    1  C1  LIG A   1      12.345  -1.234   0.123  1.00  0.00           C",
    ],
)
def test_chemistry_is_no_secret(text: str) -> None:
    assert masked(text) == text
    assert without_passwords(text) == text


@pytest.mark.parametrize("text", [f"job says {JWT}", "ghp_" + WORD, "sk-" + WORD, AWS_ID])
def test_keys_are_not_shown_in_messages_either(text: str) -> None:
    assert WORD[:12] not in without_passwords(text) and AWS_ID not in without_passwords(text) and holds_password(text)
