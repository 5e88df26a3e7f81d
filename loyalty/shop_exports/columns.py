"""What an import needs of a file, and which of its columns have it: guessed by name, then by
content."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from babel.core import get_global
from django.utils.translation import gettext_lazy as _

from loyalty.services.import_rows import address
from loyalty.shop_exports.cells import is_amount, is_day
from loyalty.shop_exports.tables import Table


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that an import can use, and what shops call it, folded: “Order ID” is orderid."""

    name: str
    label: Any
    help: Any
    names: tuple[str, ...]
    needed: bool = False


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ORDER = (
    Wanted("order_id", _("Order number"), _("Rows with the same number are one order."),
        _names(
            "orderid ordernumber orderno orderref ordername order invoiceno invoicenumber "
            "invoice receipt receiptno receiptnumber transactionid transaction basketid "
            "bestellnummer bestellnr bestellung auftragsnummer belegnummer belegnr "
            "rechnungsnummer numerodecommande ncommande commande numerodepedido pedido "
            "numeropedido numeroordine ordine bestelnummer nopesanan nombororder "
            "αριθμοσπαραγγελιασ 订单号 订单编号 訂單編號 name id"
        ), needed=True),
    Wanted("placed_at", _("When"), _("The day, also with the time."),
        _names(
            "createdat paidat orderdate datecreated date placedat purchasedate "
            "transactiondate invoicedate orderedat ordertime datetime created timestamp "
            "completeddate datum bestelldatum auftragsdatum belegdatum kaufdatum "
            "datedecommande fecha fechadepedido fechapedido data dataordine besteldatum "
            "tarikh tarikhpesanan ημερομηνια ημερομηνιαπαραγγελιασ 日期 订单日期 訂單日期 下单时间"
        ), needed=True),
    Wanted("total", _("Total of the order"), _("What was paid. Empty: what the lines come to."),
        _names(
            "total ordertotal ordertotalamount totalamount grandtotal amount totalprice "
            "totalpaid revenue gesamtsumme gesamtbetrag gesamt summe betrag bruttobetrag "
            "montanttotal montant importetotal importe totale importo totaalbedrag totaal "
            "jumlah jumlahkeseluruhan συνολο 总额 總額 订单金额 金额"
        )),
    Wanted("currency", _("Currency"), _("Where a file has several."),
        _names(
            "currency ordercurrency currencycode waehrung wahrung devise moneda valuta "
            "matawang νομισμα 货币 貨幣"
        )),
    Wanted("shipping", _("Shipping"), _("A part of the total that earns nothing."),
        _names(
            "shipping ordershipping shippingtotal ordershippingamount shippingamount "
            "shippingcost delivery versand versandkosten fraisdeport livraison "
            "gastosdeenvio envio spedizione verzendkosten penghantaran μεταφορικα 运费 運費"
        )),
    Wanted("status", _("State"), _("Orders that were not paid are left out."),
        _names(
            "financialstatus paymentstatus orderstatus status state bestellstatus "
            "zahlungsstatus statut estado stato κατασταση 状态 狀態"
        )),
    Wanted("refunded", _("Given back"), _("An amount of the order that was returned."),
        _names(
            "refundedamount refundtotal orderrefundamount refunded refundamount "
            "totalrefunded erstattet erstattung remboursement reembolso rimborso επιστροφη "
            "退款"
        )),
)  # fmt: skip
BUYER = (
    Wanted("customer_id", _("Customer number"), _("Empty: they are known by their e-mail address."),
        _names(
            "customerid customernumber customerno customer clientid userid customeruser "
            "shopperid householdkey kundennummer kundennr kundenid numeroclient "
            "numerocliente codicecliente klantnummer nopelanggan κωδικοσπελατη 客户编号 客戶編號 "
            "会员号"
        )),
    Wanted("email", _("E-mail address"), _("They sign in with it, and mails go there."),
        _names(
            "email emailaddress customeremail billingemail billingemailaddress "
            "customeremailaddress kundenemail mail mailadresse courriel correo "
            "correoelectronico emel ηλεκτρονικηδιευθυνση 邮箱 电子邮箱 電郵"
        )),
    Wanted("given_name", _("First name"), "",
        _names(
            "firstname givenname billingfirstname customerfirstname firstnamebilling "
            "vorname prenom nombre nome voornaam ονομα 名"
        )),
    Wanted("family_name", _("Last name"), "",
        _names(
            "lastname familyname surname billinglastname customerlastname lastnamebilling "
            "nachname nom apellidos cognome achternaam επωνυμο 姓"
        )),
    Wanted("full_name", _("Whole name"), _("In one column: the last word is the last name."),
        _names(
            "billingname customername fullname kunde kundenname nomclient nombrecliente "
            "nomecliente klantnaam namapelanggan ονοματεπωνυμο 姓名 客户姓名"
        )),
)  # fmt: skip
LINE = (
    Wanted("sku", _("Product number"), _("Rules name products by it."),
        _names(
            "lineitemsku sku itemsku productsku productid productno productcode stockcode "
            "itemid article articlenumber artikelnummer artikelnr referencia reference "
            "codiceprodotto productnummer kodproduk κωδικοσπροϊοντοσ 商品编号 商品編號"
        )),
    Wanted("category", _("Product category"), _("Rules name categories by it."),
        _names(
            "category categories productcategory producttype department commodity kategorie "
            "warengruppe categorie categoria categoría kategori κατηγορια 类别 類別"
        )),
    Wanted("quantity", _("Quantity"), _("Empty: one."),
        _names(
            "lineitemquantity quantity qty itemquantity quantityrefund units menge anzahl "
            "quantite cantidad quantita aantal kuantiti ποσοτητα 数量 數量"
        )),
    Wanted("unit_price", _("Price of one"), "",
        _names(
            "lineitemprice unitprice price itemcost itemprice productprice einzelpreis "
            "preis stueckpreis stuckpreis prixunitaire prix precio preciounitario prezzo "
            "prijs harga τιμη 单价 單價"
        )),
    Wanted("line_total", _("Total of the line"), _("Empty: quantity times price."),
        _names(
            "linetotal orderlinetotal itemtotal lineamount linesubtotal salesvalue rowtotal "
            "positionssumme zeilensumme totalligne totallinea totaleriga regeltotaal 小计 小計"
        )),
    Wanted("discount", _("Discount of the line"), _("Taken off quantity times price."),
        _names(
            "lineitemdiscount linediscount itemdiscount positionsrabatt zeilenrabatt"
        )),
)  # fmt: skip
WANTED = {item.name: item for item in (*ORDER, *BUYER, *LINE)}
LINE_NAMES = tuple(item.name for item in LINE)


def folded(name: str) -> str:
    """Without case, accents, blanks and marks: “Nº de commande” and "N de commande" are one."""
    bare = unicodedata.normalize("NFKD", name).casefold().replace("ς", "σ").replace("ß", "ss")
    return re.sub(r"[^\w]|_", "", "".join(c for c in bare if not unicodedata.combining(c)))


_FOLDED = {
    item.name: tuple(dict.fromkeys(folded(name) for name in item.names)) for item in WANTED.values()
}


def guess_columns(table: Table) -> dict[str, int]:
    """For each thing wanted the place of its column, where there seems to be one."""
    found = _by_name(table)
    for name, fits in (("email", _emails), ("placed_at", _days), ("currency", _currencies)):
        if name not in found:
            free = (place for place in range(len(table.header)) if place not in found.values())
            match = next((place for place in free if fits(table.column(place))), None)
            if match is not None:
                found[name] = match
    return {name: found[name] for name in WANTED if name in found}


def _by_name(table: Table) -> dict[str, int]:
    """The best name wins, whoever asks: “Name” is an order's number where Shopify says it, and no
    column is taken twice."""
    places: dict[str, int] = {}
    for place, name in enumerate(table.header):
        places.setdefault(folded(name), place)
    found: dict[str, int] = {}
    for item in WANTED.values():
        for known in _FOLDED[item.name]:
            here = places.get(known)
            if here is None or here in found.values() or not _holds(item.name, table, here):
                continue
            found[item.name] = here
            break
    return found


def _holds(name: str, table: Table, place: int) -> bool:
    """Whether a column that is called right also looks right."""
    cells = table.column(place)
    if name == "email":
        return not cells or _emails(cells)
    if name == "placed_at":
        return not cells or _days(cells)
    if name in {"total", "shipping", "refunded", "quantity", "unit_price", "line_total"}:
        return not cells or _most(cells, is_amount)
    if name == "order_id":
        return _most(cells, lambda text: any(map(str.isdigit, text))) and not _days(cells)
    return True


def _emails(cells: list[str]) -> bool:
    return _most(cells, lambda text: bool(address(text)))


def _days(cells: list[str]) -> bool:
    return _most(cells, is_day)


def _currencies(cells: list[str]) -> bool:
    known: Mapping[str, object] = get_global("all_currencies")
    return _most(cells, lambda text: text in known)


def _most(cells: list[str], fits: Callable[[str], bool]) -> bool:
    return bool(cells) and sum(map(fits, cells)) >= 0.8 * len(cells)
