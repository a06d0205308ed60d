"""Calls to Rollcall, of which none fails or takes longer than a second. Needs nothing but Python (3.7 or later)."""
import hashlib, hmac, ipaddress, json, logging, os, queue, threading, time
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

log = logging.getLogger("rollcall")
URL, KEY = os.environ.get("ROLLCALL_URL", "").rstrip("/"), os.environ.get("ROLLCALL_KEY", "")
configured = bool(URL and KEY)
PROXIES = [ipaddress.ip_network(p.strip(), strict=False) for p in os.environ.get("ROLLCALL_TRUSTED_PROXIES", "").split(",") if p.strip()]
failing_until = 0  # when what can wait is told again; 0: nothing fails


class NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def call(method, path, body=None, codes=()):
    """What Rollcall answers, or {} where that can not be had within a second."""
    global failing_until
    if not configured or (method == "PUT" and time.monotonic() < failing_until):
        return {}
    answers = queue.SimpleQueue()

    def ask():  # in a thread, because a timeout of urllib is one for each byte
        headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
        try:
            try:
                response = build_opener(NoRedirect).open(Request(URL + path, json.dumps(body).encode(), headers, method=method), timeout=1)
            except HTTPError as error:
                response = error
            with response:
                text = response.read(100000)
            answer = json.loads(text)
            if "success" not in answer or not (answer["success"] is True or answer.get("code") in codes):
                raise ValueError("%s %s" % (response.getcode(), text[:200]))
            answers.put((answer, None))
        except Exception as error:
            answers.put(({}, error))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer, error = answers.get(timeout=1)
    except queue.Empty:
        answer, error = {}, "no answer within a second"
    if error and not failing_until:
        log.warning("Rollcall: %s. People may be missing from its list; nobody is kept out.", error)
    failing_until = time.monotonic() + 10 if error else 0
    return answer


def token_of(key):
    """The same each time for one session, and nobody else can find it out."""
    return hmac.new(KEY.encode(), key.encode(), hashlib.sha256).hexdigest()


def address(peer, forwarded):
    """The visitor's, by X-Forwarded-For: each proxy that is trusted says who called it."""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    while hops and trusted(peer):
        peer = hops.pop()
    return peer


def trusted(peer):
    try:
        return bool(PROXIES) and (not peer or any(ipaddress.ip_address(peer) in network for network in PROXIES))  # none: a socket of this machine
    except ValueError:
        return False
