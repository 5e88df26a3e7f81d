"""Which column or field of somebody else's data means what: by what it is called in any language
that we know it in, then by what is in it.

Names are compared folded: “Order ID”, “order.id” and “order_id” are all orderid.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from babel.core import get_global

from loyalty.services.import_rows import address
from loyalty.shop_exports.cells import is_amount, is_day

Cells = Sequence[str]
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_NAME = re.compile(r"(?=\D+$)\w[\w.'’-]*( [\w.'’-]+)+").fullmatch
Look = Callable[[Cells], bool]


def folded(name: str) -> str:
    """Without case, accents, blanks and marks: “Nº de commande” and "N de commande" are one."""
    bare = unicodedata.normalize("NFKD", name).casefold().replace("ς", "σ").replace("ß", "ss")
    return re.sub(r"[^\w]|_", "", "".join(c for c in bare if not unicodedata.combining(c)))


def called(name: str) -> tuple[str, ...]:
    """What a column is called, folded: as it stands, then without what brackets add to it."""
    return tuple(dict.fromkeys((folded(name), folded(_BRACKETS.sub(" ", name)))))


@dataclass(frozen=True, slots=True)
class Column:
    """What it is called, and what it has: some cells, none of them empty."""

    name: str
    cells: Cells


@dataclass(frozen=True, slots=True)
class Meaning:
    """Something that a column can mean. `names` are folded, the likeliest first. Cells that do not
    fit speak against a name; cells that tell need none."""

    names: tuple[str, ...]
    fits: Look | None = None
    tells: Look | None = None

    def led_by(self, words: str) -> Meaning:
        """The same, looked for under these names first."""
        return replace(self, names=tuple(dict.fromkeys((*names(words).names, *self.names))))

    def then(self, words: str) -> Meaning:
        """The same, looked for under these names last."""
        return replace(self, names=tuple(dict.fromkeys((*self.names, *names(words).names))))


def names(words: str, *, fits: Look | None = None, tells: Look | None = None) -> Meaning:
    return Meaning(tuple(dict.fromkeys(map(folded, words.split()))), fits, tells)


# --- How cells look -----------------------------------------------------------------------------


def _most(cells: Cells, fits: Callable[[str], bool]) -> bool:
    return bool(cells) and sum(map(fits, cells)) >= 0.8 * len(cells)


def are_emails(cells: Cells) -> bool:
    return _most(cells, lambda text: bool(address(text)))


def are_days(cells: Cells) -> bool:
    return _most(cells, is_day)


def are_amounts(cells: Cells) -> bool:
    return _most(cells, is_amount)


def are_currencies(cells: Cells) -> bool:
    known: Mapping[str, object] = get_global("all_currencies")
    return _most(cells, lambda text: text in known)


def are_numbers_of_orders(cells: Cells) -> bool:
    return _most(cells, lambda text: any(map(str.isdigit, text))) and not are_days(cells)


def are_not_names(cells: Cells) -> bool:
    """“Ann Lee” is nobody's number: two people may be called so."""
    return not _most(cells, lambda text: bool(_NAME(text)))


def _or_empty(fits: Look) -> Look:
    return lambda cells: not cells or fits(cells)


def _amount(words: str) -> Meaning:
    return names(words, fits=_or_empty(are_amounts))


# --- What things are called ---------------------------------------------------------------------

# Names that other things have as well: believed only of a column that looks right.
VAGUE = frozenset(names("name data order invoice receipt transaction commande pedido ordine").names)

ORDER_NUMBER = names(
    "orderid ordernumber orderno orderref ordername order invoiceno invoicenumber invoice "
    "receipt receiptno receiptnumber transactionid transaction basketid bestellnummer "
    "bestellnr bestellung auftragsnummer belegnummer belegnr rechnungsnummer "
    "numerodecommande ncommande commande numerodepedido pedido numeropedido numeroordine "
    "ordine bestelnummer nopesanan nombororder αριθμοσπαραγγελιασ 订单号 订单编号 訂單編號 "
    "name id number",
    fits=are_numbers_of_orders,
)
# Of anything that happened.
MOMENT = names(
    "createdat datecreated date datetime created timestamp datum fecha data tarikh ημερομηνια 日期",
    fits=_or_empty(are_days),
)
PLACED = (
    replace(MOMENT, tells=are_days)
    .led_by(
        "placedat createdat orderdate datecreated date paidat purchasedate transactiondate "
        "invoicedate orderedat ordertime datetime created timestamp completeddate"
    )
    .then(
        "bestelldatum auftragsdatum belegdatum kaufdatum datedecommande fechadepedido fechapedido "
        "dataordine besteldatum tarikhpesanan ημερομηνιαπαραγγελιασ 订单日期 訂單日期 下单时间"
    )
)
CHANGED = names("updatedat modifiedat changedat")
ORDER_TOTAL = _amount(
    "total ordertotal ordertotalamount totalamount grandtotal totalprice totalpaid gesamtsumme "
    "gesamtbetrag gesamt montanttotal importetotal totale totaalbedrag totaal jumlahkeseluruhan "
    "συνολο 总额 總額 订单金额"
)
TOTAL = ORDER_TOTAL.then(
    "amount sum netsales netrevenue nrevenue revenue gesamtpreis rechnungsbetrag endbetrag summe "
    "betrag bruttobetrag montant importe importo jumlah 金额"
)
CURRENCY = names(
    "currency ordercurrency currencycode waehrung wahrung devise moneda valuta matawang νομισμα "
    "货币 貨幣",
    tells=are_currencies,
)
EXCHANGE_RATE = _amount(
    "exchangerate currencyrate fxrate conversionrate rateofexchange wechselkurs umrechnungskurs "
    "tauxdechange tipodecambio tassodicambio wisselkoers kadarpertukaran kadartukaran "
    "συναλλαγματικηισοτιμια ισοτιμια 汇率 匯率"
)
EXCHANGE_CURRENCY = names(
    "exchangecurrency basecurrency shopcurrency storecurrency settlementcurrency basiswaehrung "
    "basiswahrung devisedebase monedabase valutabase basisvaluta matawangasas νομισμαβασης "
    "基准货币 基準貨幣",
    fits=_or_empty(are_currencies),
)
SHIPPING = _amount(
    "shipping ordershipping shippingtotal ordershippingamount shippingamount shippingcost "
    "delivery versand versandkosten fraisdeport livraison gastosdeenvio envio spedizione "
    "verzendkosten penghantaran μεταφορικα 运费 運費"
)
ORDER_STATE = names(
    "orderstatus status state bestellstatus statut estado stato κατασταση 状态 狀態"
)
PAYMENT_STATE = ORDER_STATE.led_by("financialstatus paymentstatus").then("zahlungsstatus")
REFUNDED = _amount(
    "refundedamount refundtotal orderrefundamount refunded refundamount totalrefunded erstattet "
    "erstattung remboursement reembolso rimborso επιστροφη 退款"
)
PAYMENT_METHOD = names("paymentmethod gateway")
COUPON = names("coupon couponcode discountcode voucher")

CUSTOMER_NUMBER = names(
    "customerid customernumber customerno customer cust clientid userid customeruser "
    "customeruserid shopperid householdkey kundennummer kundennr kundenid numeroclient "
    "numerocliente codicecliente klantnummer nopelanggan κωδικοσπελατη 客户编号 客戶編號 会员号 "
    "externalid customerexternalid",
    fits=are_not_names,
)
EMAIL = names(
    "customeremail email revieweremail emailaddress subscriberemail useremail profileemail "
    "billingemail billingemailaddress customeremailaddress kundenemail mail mailadresse "
    "courriel correo correoelectronico emel ηλεκτρονικηδιευθυνση 邮箱 电子邮箱 電郵",
    fits=_or_empty(are_emails),
    tells=are_emails,
)
GIVEN_NAME = names(
    "firstname givenname billingfirstname customerfirstname firstnamebilling forename vorname "
    "prenom nombre nome voornaam ονομα 名"
)
FAMILY_NAME = names(
    "lastname familyname surname billinglastname customerlastname lastnamebilling nachname nom "
    "apellidos cognome achternaam επωνυμο 姓"
)
FULL_NAME = names(
    "billingname customername fullname kunde kundenname nomclient nombrecliente nomecliente "
    "klantnaam namapelanggan ονοματεπωνυμο 姓名 客户姓名"
)
PHONE = names("phone mobile phonenumber telephone")
COUNTRY = names("countrycode country addresscountrycode")
GENDER = names("gender sex geschlecht genre genero genere geslacht jantina φυλο 性别")
BIRTHDAY = names("birthday dateofbirth birthdate dob")

PRODUCT_NUMBER = names(
    "lineitemsku sku itemsku productsku productid productno productcode stockcode itemid "
    "articlenumber artikelnummer artikelnr codiceprodotto productnummer "
    "kodproduk κωδικοσπροϊοντοσ 商品编号 商品編號"
)
# In a line, where these are the product's and of nothing else.
LINE_PRODUCT = PRODUCT_NUMBER.then("article referencia reference")
PRODUCT_NAME = names("productname producttitle lineitemname")
CATEGORY = names(
    "category categories productcategory producttype department commodity kategorie warengruppe "
    "categorie categoria kategori κατηγορια 类别 類別"
)
QUANTITY = _amount(
    "lineitemquantity quantity qty itemquantity quantityrefund units menge anzahl quantite "
    "cantidad quantita aantal kuantiti ποσοτητα 数量 數量 count"
)
UNIT_PRICE = _amount(
    "lineitemprice unitprice price itemcost itemprice productprice einzelpreis preis stueckpreis "
    "stuckpreis prixunitaire prix precio preciounitario prezzo prijs harga τιμη 单价 單價"
)
# What one of it cost the shop.
UNIT_COST = names("unitcost costprice costofgoods cogs purchaseprice einkaufspreis")
LINE_TOTAL = _amount(
    "linetotal orderlinetotal itemtotal lineamount linesubtotal salesvalue rowtotal "
    "positionssumme zeilensumme totalligne totallinea totaleriga regeltotaal 小计 小計"
)
# The list of an order's lines.
LINES = names("lineitems lines items products orderlines positions")
LINE_DISCOUNT = names("lineitemdiscount linediscount itemdiscount positionsrabatt zeilenrabatt")


# --- Matching -----------------------------------------------------------------------------------


def match(
    wanted: Mapping[str, Meaning], columns: Sequence[Column], *, examples: bool = False
) -> dict[str, int]:
    """For each thing wanted the place of its column, where there seems to be one; none is taken
    twice. The best name wins, whoever asks: “Name” is an order's number where Shopify says it.

    `examples`: there is one cell of each column, which proves little. A name is then believed
    whatever the cell says, where no other looks better.
    """
    found: dict[str, int] = {}
    _match_names(found, wanted, columns, _looks_right)
    if examples:
        _match_names(found, wanted, columns, lambda _meaning, _cells: True, without=VAGUE)
    _match_looks(found, wanted, columns)
    return {name: found[name] for name in wanted if name in found}


def _match_names(
    found: dict[str, int],
    wanted: Mapping[str, Meaning],
    columns: Sequence[Column],
    fits: Callable[[Meaning, Cells], bool],
    without: frozenset[str] = frozenset(),
) -> None:
    places = _places(columns)
    for name, meaning in wanted.items():
        if name in found:
            continue
        likely = (at for known in meaning.names if known not in without
                  for at in places.get(known, ()))  # fmt: skip
        for place in likely:
            if place not in found.values() and fits(meaning, columns[place].cells):
                found[name] = place
                break


def _places(columns: Sequence[Column]) -> dict[str, list[int]]:
    """Where each name is: columns that are called just so before those that say more."""
    places: dict[str, list[int]] = {}
    for more in (0, 1):
        for place, column in enumerate(columns):
            for name in called(column.name)[more : more + 1]:
                places.setdefault(name, []).append(place)
    return places


def _looks_right(meaning: Meaning, cells: Cells) -> bool:
    return meaning.fits is None or meaning.fits(cells)


def _match_looks(
    found: dict[str, int], wanted: Mapping[str, Meaning], columns: Sequence[Column]
) -> None:
    for name, meaning in wanted.items():
        if meaning.tells is None or name in found:
            continue
        taken = {*found.values()}
        for place, column in enumerate(columns):
            if place not in taken and meaning.tells(column.cells):
                found[name] = place
                break
