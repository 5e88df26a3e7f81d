from django.urls import path

from config.demoshop import views

app_name = "demoshop"
urlpatterns = [
    path("", views.shop, name="shop"),
    path("products/<slug:sku>/", views.product, name="product"),
    path("basket/", views.basket, name="basket"),
    path("basket/change/", views.basket_change, name="basket_change"),
    path("order/", views.order, name="order"),
    path("sign-up/", views.sign_up, name="sign_up"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("loyalty-token/", views.loyalty_token, name="loyalty_token"),
]
