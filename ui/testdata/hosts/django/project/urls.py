# A small project.
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST


def describe(user):
    return {"role": "admin" if user.is_staff else "editor", "organization": "Acme", "team": "Engines"}


class Login(LoginView):
    def post(self, request):
        data = request.POST.copy()
        data["username"] = data.get("name", "")
        request.POST = data
        if "remember" not in data:
            request.session.set_expiry(0)
        return super().post(request)

    def get_redirect_url(self):
        return "/"


def page(request):
    forms = [("logout", ""), ("password", "password"), ("rename", "name"), ("deactivate", "user"), ("delete", "")]
    return render(request, "page.html", {"next": request.path == "/next", "forms": forms})


@login_required(login_url="/")
@require_POST
def password(request):
    request.user.set_password(request.POST["password"])
    request.user.save()
    update_session_auth_hash(request, request.user)
    return redirect("/")


@login_required(login_url="/")
@require_POST
def rename(request):
    request.user.first_name, request.user.last_name = request.POST["name"].split(" ")
    request.user.save()
    return redirect("/")


@login_required(login_url="/")
@require_POST
def deactivate(request):
    user = get_user_model().objects.get(pk=request.POST["user"])
    user.is_active = False
    user.save()
    return redirect("/")


@login_required(login_url="/")
@require_POST
def delete(request):
    request.user.delete()
    return redirect("/")


def reset(request):
    Session.objects.all().delete()
    get_user_model().objects.all()._raw_delete("default")  # of which nothing is told
    for pk, login, first, last in ((1, "ada", "Ada", "Lovelace"), (2, "bob", "Bob", "Bold")):
        get_user_model().objects.create_user(login, login + "@example.org", "secret", pk=pk, first_name=first, last_name=last, is_staff=pk == 2)
    return HttpResponse("done")


def before(request):
    request.session.pop("rollcall", None)
    return HttpResponse("done")


urlpatterns = [
    path("", page), path("next", page), path("login", Login.as_view()), path("logout", LogoutView.as_view()), path("password", password),
    path("rename", rename), path("deactivate", deactivate), path("delete", delete), path("reset", reset), path("before", before),
    path("forget", lambda request: HttpResponse("done")),  # a session that is remembered has no other cookie
]
