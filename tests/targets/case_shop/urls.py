from django.urls import path

from . import views

urlpatterns = [
    path("catalogue", views.catalogue),
    path("order", views.order),
    path("quote/<int:zone>/<int:kilograms>", views.quote),
]
