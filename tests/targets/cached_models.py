"""Django models as arguments, without a database: of each kind three values, made anew for each call, or kept."""
import uuid

import django
from django.conf import settings

settings.configure(DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True)
django.setup()

from django.db import models  # noqa: E402  (only after setup)

WORK = []  # what takes time


class Product(models.Model):
    name = models.CharField(max_length=40)

    class Meta:
        app_label = "shop"

    def priced(self, rounds):
        return WORK[0](rounds)


class Shelf(models.Model):
    class Meta:
        app_label = "shop"


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)

    class Meta:
        app_label = "shop"


class Ticket(models.Model):
    number = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        app_label = "shop"


class Book(Product):  # its key is product_ptr_id
    class Meta:
        app_label = "shop"


class Stock(models.Model):  # its key is product_id
    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE)

    class Meta:
        app_label = "shop"


def without_name(i):
    """One of which the name was not loaded."""
    return Product.from_db("default", ["id"], [500 + i])


DRAFTS = [Product(name="draft") for _ in range(3)]

# Equal keys for equal numbers: saved models, which are another object each time.
SAVED = {
    "automatic": lambda i: Product(pk=1000 + i, name="p"),
    "renamed": lambda i: Product(pk=7, name=str(uuid.uuid4())),
    "by_text": lambda i: Country(code="c%d" % i),
    "by_uuid": lambda i: Ticket(number=uuid.UUID(int=2 ** 90 + i)),
    "inherited": lambda i: Book(product_ptr_id=1000 + i, id=1000 + i),
    "one_to_one": lambda i: Stock(product_id=1000 + i),
    "two_classes": lambda i: (Product, Shelf)[i % 2](pk=1000),
    "deferred": without_name,
    "in_tuple": lambda i: (Product(pk=1000 + i), 5),
}
UNSAVED = {"drafts": lambda i: DRAFTS[i]}
