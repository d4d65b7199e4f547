from django.urls import path

from . import views

urlpatterns = [
    path("async", views.async_view),
    path("sync", views.sync_view),
    path("gather", views.gather_view),
    path("mixed", views.mixed_view),
    path("slow", views.slow_view),
    path("stats", views.stats),
    path("lru_caches", views.lru_caches),
]
if "taskgroup_view" not in views.LACKS:
    urlpatterns.append(path("taskgroup", views.taskgroup_view))
