"""Rollcall in a Django project (3.2 or later). Put it and rollcall_calls.py beside settings.py, and there

    MIDDLEWARE = [..., "project.rollcall.Middleware"]    # after AuthenticationMiddleware
    TEMPLATES: "context_processors": [..., "project.rollcall.script"]   # then {{ rollcall }} in the head of every page
    ROLLCALL_PERSON = "project.people.describe"          # if you like: user -> {"role": ..., "organization": ..., "team": ...}

The rest is told by Django's signals. It does nothing without ROLLCALL_URL and ROLLCALL_KEY in the environment, and in
tests. No call fails, or takes longer than a second. ROLLCALL_TRUSTED_PROXIES has the addresses of proxies in front.
"""
import contextvars, hashlib, secrets
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpResponse, JsonResponse
from django.utils.html import format_html
from django.utils.module_loading import import_string

from .rollcall_calls import URL, address, call, configured, token_of

current = contextvars.ContextVar("request", default=None)


class Refused(PermissionDenied):
    """Somebody may not log in now. The middleware shows the page that says why."""


def on():
    return configured and not hasattr(mail, "outbox")  # which Django's test environment has


def person(user):
    name = getattr(user, "get_full_name", str)() or user.get_username()
    told = {"name": name, "email": getattr(user, "email", ""), "role": "admin" if getattr(user, "is_superuser", False) else ""}
    if getattr(settings, "ROLLCALL_PERSON", None):
        told.update(import_string(settings.ROLLCALL_PERSON)(user))
    return {"id": str(user.pk), **{name: str(text)[:200] for name, text in told.items() if text is not None}}


def key_of(session):
    """Rollcall's name for a session. It stays the same when Django gives the session another key."""
    if "rollcall" not in session and len(session.session_key or "") > 64:  # one that is all in a cookie
        session["rollcall"] = secrets.token_hex(32)
    return session.get("rollcall") or (session.session_key and hashlib.sha256(b"rollcall " + session.session_key.encode()).hexdigest())


def script(request=None):
    return {"rollcall": format_html('<script src="{}/heartbeat.js" data-renew="/rollcall/token" async></script>', URL) if on() else ""}


class Middleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        reset = current.set(request)
        try:
            return token(request) if request.path_info == "/rollcall/token" else self.get_response(request)
        finally:
            current.reset(reset)

    def process_exception(self, request, exception):
        if isinstance(exception, Refused):
            code, why = exception.args
            rest = dict(request.session.items())  # of a session that is in no database, where the transaction was taken back
            request.session.flush()
            request.session.update(rest)
            page = '<!doctype html><html lang="en"><title>Not now</title><h1>Not now</h1><p>{}</p><p><a href="">Try again</a></p></html>'
            response = HttpResponse(format_html(page, why), status=503 if code == "draining" else 409)
            response["Cache-Control"] = "no-store"
            return response


def token(request):
    """The route that heartbeat.js asks who is logged in."""
    response = HttpResponse(status=204)
    if request.method != "POST" or request.headers.get("X-Rollcall") != "renew":
        response = HttpResponse(status=400)
    elif on() and request.user.is_authenticated:
        key = key_of(request.session)
        answer = call("POST", "/admin/sessions", {"user": person(request.user), "session_key": key, "session_token": token_of(key),
                      "ip_address": address(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")),
                      "user_agent": request.headers.get("User-Agent", "")}, ("session_ended",))
        if answer.get("code") == "session_ended":
            logout(request)  # of which the signal tells
        else:
            response = JsonResponse({"token": token_of(key)}) if answer else HttpResponse(status=503)
    if not request.session.modified:
        del request.session  # its cookie would undo a login or logout that happens meanwhile
    response["Cache-Control"] = "no-store"
    return response


@receiver(user_logged_in)
def logged_in(request, user, **kwargs):
    if not on() or SESSION_KEY not in getattr(request, "session", ()):
        return
    answer = call("POST", "/admin/sessions/may", {"user": person(user)}, ("draining", "session_limit"))
    if answer.get("code"):
        for name in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY):
            request.session.pop(name, None)
        request.user = AnonymousUser()
        raise Refused(answer["code"], answer["error"] if answer["code"] == "draining" else "You are logged in as often as you may be. Log out elsewhere first.")
    request.session["rollcall"] = secrets.token_hex(32)


@receiver(user_logged_out)
def logged_out(request, user, **kwargs):
    if user and on() and key_of(request.session):
        call("POST", "/admin/sessions/end", {"session_key": key_of(request.session)})


def end_all(user, reason, but=None):
    call("POST", "/admin/sessions/end", {"user": str(user), "reason": reason, **({"except_token": token_of(but)} if but else {})})


@receiver(post_save)
def saved(sender, instance, created, raw, update_fields, **kwargs):
    if not issubclass(sender, get_user_model()) or created or raw or not on() or update_fields == frozenset(["last_login"]):
        return
    request = current.get()
    if not instance.is_active:
        transaction.on_commit(lambda: end_all(instance.pk, "revoked"))
    elif getattr(instance, "_password", None) is not None:  # a new one
        own = request is not None and request.user.pk == instance.pk
        but = request.session["rollcall"] = key_of(request.session) if own else None
        transaction.on_commit(lambda: end_all(instance.pk, "password_changed", but))
    else:
        told = person(instance)
        transaction.on_commit(lambda: call("PUT", "/admin/users/" + quote(told["id"], safe=""), told))


@receiver(post_delete)
def deleted(sender, instance, **kwargs):
    if issubclass(sender, get_user_model()) and on():
        pk = instance.pk

        def tell():
            if call("DELETE", "/admin/users/" + quote(str(pk), safe=""), codes=("forbidden", "not_found")).get("code") == "forbidden":
                end_all(pk, "revoked")  # another application has them too

        transaction.on_commit(tell)
