"""The pages of the site."""

import os

from django.contrib import admin
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path


def seen(request):
    """What this process can see of a directory: for the test that asks."""
    top = request.GET["path"]
    return HttpResponse("\n".join(os.listdir(top)) if os.path.isdir(top) else "")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("page/", lambda request: render(request, "page.html")),
    path("module/", lambda request: render(request, "module.html")),
    path("seen/", seen),
]
