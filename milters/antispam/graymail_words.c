/* What bulk mail says, and people who wait for a code are told. */
#include "graymail_words.h"

#include <stdlib.h>
#include <string.h>

struct phrases {
	unsigned group;
	const char *const *list;
};

/* A blank stands for any blanks; letter case does not count. */
static const char *const unsubscribe[] = {
	"remove yourself from", "to be removed from", "be removed from our",
	"unsubscribe", "unsubscribing", "opt out", "opt-out",
	"manage your preferences", "manage preferences",
	"update your preferences", "email preferences",
	"manage your subscription", "manage subscriptions",
	"notification settings", "manage notifications",
	"manage your email settings", "stop receiving",
	"no longer wish to receive", "don't want to receive",
	"do not wish to receive", "abmelden", "abbestellen",
	"newsletter abbestellen", "abmeldelink", "austragen",
	"keine e-mails mehr", "keine weiteren e-mails", "désabonner",
	"désinscrire", "se désinscrire", "désinscription", "désabonnement",
	"vous désabonner", "me désinscrire", "ne plus recevoir",
	"darse de baja", "darte de baja", "cancelar suscripción",
	"cancelar la suscripción", "anular suscripción", "date de baja",
	"dejar de recibir", "cancelar inscrição", "cancelar subscrição",
	"descadastrar", "descadastre", "cancelar a inscrição",
	"deixar de receber", "cancellati", "annulla iscrizione", "disiscriviti",
	"disiscrizione", "annullare l'iscrizione", "cancella iscrizione",
	"non desideri più ricevere", "uitschrijven", "afmelden",
	"schrijf je uit", "avregistrera", "avprenumerera",
	"avsluta prenumerationen", "afmeld", "frameld", "meld deg av", "avmeld",
	"peruuta tilaus", "peru tilaus", "wypisz się", "wypisać się",
	"zrezygnuj z subskrypcji", "rezygnacja z subskrypcji", "odhlásit",
	"odhlásit se", "odhlásiť", "leiratkozás", "leiratkozom", "dezabonare",
	"dezabonați", "отписаться", "отписка", "відписатися", "aboneliği iptal",
	"abonelikten çık", "listeden çık", NULL
};

static const char *const browser[] = {
	"view in browser", "view in your browser",
	"view this email in your browser", "view this email online",
	"view online", "web version", "view as web page",
	"view it in your browser", "read online", "having trouble viewing",
	"trouble viewing this email", "can't see this email",
	"im browser ansehen", "im browser anzeigen", "im browser öffnen",
	"online-version", "webversion", "onlineversion",
	"nicht richtig angezeigt", "nicht korrekt dargestellt",
	"darstellung im browser", "version en ligne", "voir en ligne",
	"afficher dans votre navigateur", "voir dans le navigateur",
	"si vous ne visualisez pas", "consultez la version en ligne",
	"ver en el navegador", "ver en tu navegador", "versión online",
	"versión web", "ver no navegador", "versão online",
	"visualizza nel browser", "versione online", "se non visualizzi",
	"bekijk in browser", "bekijk de online versie", "online versie",
	"webbläsare", "visa i webbläsaren", "vis i browser",
	"zobacz w przeglądarce", "otwórz w przeglądarce",
	"zobrazit v prohlížeči", "открыть в браузере", "tarayıcıda görüntüle",
	NULL
};

static const char *const because[] = {
	"you are receiving this", "you're receiving this",
	"you received this email because", "this email was sent to",
	"this message was sent to", "you are subscribed", "you're subscribed",
	"because you signed up", "because you subscribed",
	"because you opted in", "you have signed up",
	"sie erhalten diese e-mail", "sie erhalten diesen newsletter",
	"du erhältst diese e-mail", "diese e-mail wurde an",
	"vous recevez cet email", "vous recevez cet e-mail",
	"vous recevez ce message", "cet email a été envoyé",
	"recibes este correo", "has recibido este correo",
	"este correo fue enviado", "este mensaje se ha enviado",
	"você está recebendo", "este e-mail foi enviado", "ricevi questa email",
	"hai ricevuto questa email", "je ontvangt deze e-mail",
	"u ontvangt deze e-mail", "deze e-mail is verzonden",
	"du får detta mejl", "otrzymujesz tę wiadomość",
	"вы получили это письмо", NULL
};

static const char *const code[] = {
	"verification code", "security code", "confirmation code",
	"authentication code", "access code", "login code", "log-in code",
	"sign-in code", "sign in code", "signin code", "one-time code",
	"one time code", "one-time password", "one time password",
	"one-time passcode", "one-time pin", "one-time passcode",
	"single-use code", "passcode", "otp", "2fa code", "two-factor code",
	"two-step verification", "temporary code", "reset code", "your code is",
	"your code:", "use this code", "enter this code", "enter the code",
	"bestätigungscode", "einmalcode", "einmal-code", "einmalpasswort",
	"sicherheitscode", "verifizierungscode", "prüfcode", "zugangscode",
	"anmeldecode", "login-code", "ihr code", "dein code", "mtan",
	"ihre tan", "tan lautet", "code de vérification", "code de sécurité",
	"code de confirmation", "code de connexion", "code d'accès",
	"code d'authentification", "code à usage unique", "votre code",
	"ton code", "mot de passe à usage unique", "código de verificación",
	"código de seguridad", "código de confirmación", "código de acceso",
	"código de un solo uso", "tu código", "su código",
	"código de verificação", "código de segurança", "código de confirmação",
	"código de acesso", "seu código", "o teu código", "codice di verifica",
	"codice di sicurezza", "codice di conferma", "codice di accesso",
	"codice otp", "codice monouso", "il tuo codice", "verificatiecode",
	"beveiligingscode", "bevestigingscode", "inlogcode", "toegangscode",
	"eenmalige code", "je code", "uw code", "verifieringskod",
	"säkerhetskod", "engångskod", "inloggningskod", "bekræftelseskode",
	"engangskode", "sikkerhedskode", "bekreftelseskode", "sikkerhetskode",
	"vahvistuskoodi", "kertakäyttökoodi", "turvakoodi", "kod weryfikacyjny",
	"kod potwierdzający", "kod bezpieczeństwa", "kod dostępu",
	"jednorazowy kod", "twój kod", "ověřovací kód", "bezpečnostní kód",
	"potvrzovací kód", "overovací kód", "ellenőrző kód", "megerősítő kód",
	"biztonsági kód", "cod de verificare", "codul de verificare",
	"cod de securitate", "kod za potvrdu", "kontrolni kod",
	"κωδικός επαλήθευσης", "κωδικός μίας χρήσης", "код подтверждения",
	"проверочный код", "одноразовый код", "одноразовый пароль",
	"код безопасности", "код для входа", "ваш код", "код підтвердження",
	"код за потвърждение", "doğrulama kodu", "onay kodu", "güvenlik kodu",
	"tek kullanımlık şifre", "קוד אימות", "קוד האימות", "رمز التحقق",
	"رمز التأكيد", "كود التفعيل", "mã xác minh", "mã xác nhận", "mã otp",
	"kode verifikasi", "kode otp", NULL
};

static const char *const reset[] = {
	"reset your password", "password reset", "reset password",
	"reset password instructions", "forgot your password",
	"forgot password", "set your password", "set a new password",
	"change your password", "confirm your email", "confirm your e-mail",
	"verify your email", "verify your e-mail", "confirm your address",
	"verify your address", "email verification", "verify your account",
	"confirm your account", "activate your account", "account activation",
	"confirm your registration", "complete your registration",
	"confirm your subscription", "new sign-in", "new sign in", "new login",
	"sign-in attempt", "login attempt", "sign in to", "log in to",
	"magic link", "login link", "sign-in link", "new device",
	"passwort zurücksetzen", "passwort zurückzusetzen",
	"passwort vergessen", "neues passwort", "kennwort zurücksetzen",
	"passwort ändern", "bestätigen sie ihre e-mail",
	"bestätige deine e-mail", "bestätigen sie ihre anmeldung",
	"e-mail-adresse bestätigen", "registrierung bestätigen",
	"bitte bestätigen sie", "neue anmeldung", "konto aktivieren",
	"réinitialiser votre mot de passe",
	"réinitialisation de votre mot de passe",
	"réinitialisation du mot de passe", "mot de passe oublié",
	"confirmez votre adresse", "confirmez votre email",
	"confirmez votre inscription", "nouvelle connexion",
	"activez votre compte", "restablecer contraseña",
	"restablecer tu contraseña", "restablecer su contraseña",
	"restablece tu contraseña", "restablecimiento de contraseña",
	"confirma tu correo", "confirme su correo", "verifica tu correo",
	"nuevo inicio de sesión", "activa tu cuenta", "redefinir senha",
	"redefinir sua senha", "redefinição de senha", "confirme seu e-mail",
	"confirme seu email", "reimposta la password", "reimposta password",
	"reimpostare la password", "reimpostazione password",
	"conferma il tuo indirizzo", "conferma la tua email",
	"conferma la registrazione", "nuovo accesso",
	"wachtwoord opnieuw instellen", "wachtwoord vergeten",
	"wachtwoord resetten", "bevestig je e-mailadres",
	"bevestig uw e-mailadres", "nieuwe aanmelding",
	"återställ ditt lösenord", "återställ lösenord", "bekräfta din e-post",
	"nulstil din adgangskode", "bekræft din e-mail", "tilbakestill passord",
	"palauta salasana", "zresetuj hasło", "resetowanie hasła",
	"reset hasła", "potwierdź adres", "obnovení hesla",
	"potvrďte svůj e-mail", "jelszó visszaállítása", "resetare parolă",
	"сброс пароля", "восстановление пароля", "подтвердите адрес",
	"подтвердите регистрацию", "şifre sıfırlama",
	"e-posta adresinizi doğrulayın", NULL
};

static const char *const order[] = {
	"order confirmation", "your order", "order received", "order number",
	"order #", "thank you for your order", "thanks for your order",
	"your purchase", "purchase confirmation", "your receipt", "receipt for",
	"receipt from", "payment receipt", "payment received",
	"payment confirmation", "your invoice", "invoice for", "invoice from",
	"invoice #", "e-ticket", "your ticket", "your tickets", "your booking",
	"booking confirmation", "booking confirmed", "reservation confirmation",
	"your reservation", "your itinerary", "trip receipt", "your trip",
	"shipping confirmation", "shipment", "has shipped", "have shipped",
	"has been shipped", "out for delivery", "was delivered",
	"has been delivered", "delivered:", "your package", "your parcel",
	"your delivery", "your refund", "appointment confirmation",
	"appointment reminder", "your statement", "bestellbestätigung",
	"auftragsbestätigung", "ihre bestellung", "deine bestellung",
	"bestelleingang", "zahlungsbestätigung", "zahlungseingang",
	"ihre rechnung", "deine rechnung", "rechnung nr", "buchungsbestätigung",
	"ihre buchung", "reservierungsbestätigung", "versandbestätigung",
	"wurde versandt", "ihre sendung", "ihr paket", "dein paket",
	"ihre lieferung", "terminbestätigung", "confirmation de commande",
	"confirmation de votre commande", "votre commande", "ta commande",
	"votre facture", "votre reçu", "reçu de paiement",
	"confirmation de paiement", "confirmation de réservation",
	"votre réservation", "votre colis", "expédition de votre",
	"a été expédié", "a été expédiée", "votre billet",
	"confirmación de pedido", "confirmación de tu pedido", "tu pedido",
	"su pedido", "tu compra", "tu factura", "su factura", "tu recibo",
	"confirmación de reserva", "tu reserva", "tu envío", "ha sido enviado",
	"confirmação de pedido", "confirmação do pedido", "seu pedido",
	"sua compra", "sua fatura", "pedido enviado", "conferma d'ordine",
	"conferma ordine", "il tuo ordine", "la tua fattura", "la tua ricevuta",
	"conferma di prenotazione", "la tua prenotazione", "è stato spedito",
	"bestelbevestiging", "orderbevestiging", "je bestelling",
	"uw bestelling", "uw factuur", "je factuur", "is verzonden",
	"orderbekräftelse", "din beställning", "din order", "ordrebekræftelse",
	"ordrebekreftelse", "tilausvahvistus", "potwierdzenie zamówienia",
	"twoje zamówienie", "faktura vat", "potvrzení objednávky",
	"vaše objednávka", "rendelés visszaigazolása", "confirmarea comenzii",
	"подтверждение заказа", "ваш заказ", "sipariş onayı", "siparişiniz",
	NULL
};

static const char *const number[] = {
	"order number", "order no", "order id", "order #", "order:",
	"order date", "order total", "order summary", "order details",
	"invoice number", "invoice no", "invoice #", "invoice date",
	"invoice id", "receipt number", "receipt no", "receipt #",
	"transaction id", "transaction number", "confirmation number",
	"confirmation #", "booking reference", "booking number",
	"reservation number", "tracking number", "tracking #", "tracking id",
	"track your package", "track your order", "track package",
	"ticket number", "subtotal", "sub-total", "grand total", "total paid",
	"amount paid", "amount due", "total amount", "total charged",
	"payment method", "billing address", "shipping address", "ship to",
	"delivery address", "case number", "bestellnummer", "auftragsnummer",
	"rechnungsnummer", "rechnungsbetrag", "buchungsnummer",
	"sendungsnummer", "zwischensumme", "gesamtsumme", "gesamtbetrag",
	"lieferadresse", "rechnungsadresse", "zahlungsart",
	"numéro de commande", "n° de commande", "numéro de facture",
	"sous-total", "total ttc", "adresse de livraison", "mode de paiement",
	"numéro de suivi", "número de pedido", "número de factura",
	"importe total", "dirección de envío", "método de pago",
	"número de seguimiento", "número do pedido", "endereço de entrega",
	"forma de pagamento", "código de rastreamento", "numero d'ordine",
	"numero ordine", "totale ordine", "indirizzo di spedizione",
	"metodo di pagamento", "bestelnummer", "ordernummer", "factuurnummer",
	"totaalbedrag", "bezorgadres", "betaalmethode", "beställningsnummer",
	"numer zamówienia", "numer faktury", "adres dostawy",
	"číslo objednávky", "номер заказа", "сумма заказа", "sipariş numarası",
	NULL
};

static const char *const link[] = { "http", "https", NULL };

static const struct phrases all[] = {
	{ SAYS_UNSUBSCRIBE, unsubscribe }, { SAYS_BROWSER, browser },
	{ SAYS_WHY, because }, { SAYS_CODE, code }, { SAYS_RESET, reset },
	{ SAYS_ORDER, order }, { SAYS_NUMBER, number }, { SAYS_LINK, link },
};

struct graymail_words *
graymail_open(void)
{
	struct graymail_words *w = mem_alloc(sizeof *w);

	w->words = words_new();
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (size_t k = 0; all[i].list[k] != NULL; k++)
			words_add(w->words, slice_of(all[i].list[k]),
			    all[i].group);
	words_ready(w->words);
	return w;
}

void
graymail_close(struct graymail_words *w)
{
	if (w == NULL)
		return;
	words_free(w->words);
	free(w);
}

/* ---- scripts without blanks ---- */

/* Whole words are no use there. */
static const struct {
	unsigned group;
	const char *text;
} unspaced[] = {
	{ SAYS_CODE, "验证码" }, { SAYS_CODE, "驗證碼" },
	{ SAYS_CODE, "校验码" }, { SAYS_CODE, "動態密碼" },
	{ SAYS_CODE, "認証コード" }, { SAYS_CODE, "確認コード" },
	{ SAYS_CODE, "ワンタイムパスワード" },
	{ SAYS_CODE, "인증번호" }, { SAYS_CODE, "인증 코드" },
	{ SAYS_CODE, "인증코드" }, { SAYS_CODE, "รหัส otp" },
	{ SAYS_RESET, "重置密码" }, { SAYS_RESET, "重設密碼" },
	{ SAYS_RESET, "パスワードの再設定" },
	{ SAYS_RESET, "パスワードをリセット" },
	{ SAYS_RESET, "비밀번호 재설정" },
	{ SAYS_UNSUBSCRIBE, "退订" }, { SAYS_UNSUBSCRIBE, "取消订阅" },
	{ SAYS_UNSUBSCRIBE, "取消訂閱" }, { SAYS_UNSUBSCRIBE, "配信停止" },
	{ SAYS_UNSUBSCRIBE, "配信解除" }, { SAYS_UNSUBSCRIBE, "수신거부" },
	{ SAYS_ORDER, "订单" }, { SAYS_ORDER, "ご注文" },
	{ SAYS_ORDER, "주문" }, { SAYS_NUMBER, "订单号" },
	{ SAYS_NUMBER, "注文番号" }, { SAYS_NUMBER, "주문번호" },
};

/* All of them begin with such a byte, and little mail has one. */
static bool
beyond_latin(struct slice text)
{
	bool any = false;

	for (size_t i = 0; i < text.len; i++)
		any |= (unsigned char)text.ptr[i] >= 0xe0;
	return any;
}

unsigned
graymail_unspaced(struct slice text, size_t *at_r, size_t *len_r)
{
	unsigned says = 0;

	if (!beyond_latin(text))
		return 0;
	for (size_t i = 0; i < sizeof unspaced / sizeof *unspaced; i++) {
		struct slice word = slice_of(unspaced[i].text);
		size_t at = slice_search(text, word);

		if (at == text.len)
			continue;
		says |= unspaced[i].group;
		if (unspaced[i].group == SAYS_CODE) {
			*at_r = at;
			*len_r = word.len;
		}
	}
	return says;
}

/* ---- codes ---- */

enum { BEFORE = 60, BEHIND = 200, CODE_MIN = 4, CODE_MAX = 8 };

struct token {
	size_t from, end;		/* in the text */
	unsigned digits, capitals, smalls;
};

static bool
token_byte(char c)
{
	return ascii_alnum(c);
}

static void
count(struct token *t, char c)
{
	if (ascii_digit(c))
		t->digits++;
	else if (c >= 'A' && c <= 'Z')
		t->capitals++;
	else
		t->smalls++;
}

/* Groups of digits with one blank or dash between are one token: "123 456",
 * "123-456", and Google's "G-123456". */
static bool
joins(struct slice text, const struct token *t)
{
	size_t sign = t->end, n = 0;

	if (sign + 1 >= text.len || (text.ptr[sign] != ' ' &&
	    text.ptr[sign] != '-') || t->smalls > 0 || t->digits > 4 ||
	    (t->digits == 0 && (t->capitals != 1 || text.ptr[sign] != '-')))
		return false;
	while (sign + 1 + n < text.len && n <= 6 &&
	    ascii_digit(text.ptr[sign + 1 + n]))
		n++;
	if (t->digits == 0)
		return n == 6;
	return (n == 3 || n == 4) && n == t->end - t->from &&
	    (sign + 1 + n == text.len || !token_byte(text.ptr[sign + 1 + n]));
}

static bool
next_token(struct slice text, size_t *at, size_t end, struct token *t_r)
{
	size_t i = *at;

	while (i < end && !token_byte(text.ptr[i]))
		i++;
	if (i >= end)
		return false;
	*t_r = (struct token){ .from = i };
	for (; i < text.len && token_byte(text.ptr[i]); i++)
		count(t_r, text.ptr[i]);
	t_r->end = i;
	if (joins(text, t_r)) {
		for (i++; i < text.len && ascii_digit(text.ptr[i]); i++)
			count(t_r, text.ptr[i]);
		t_r->end = i;
	}
	*at = i;
	return true;
}

/* What stands right before or behind tells sums, dates, links and telephone
 * numbers from codes. */
static bool
stands_alone(struct slice text, const struct token *t)
{
	char before = t->from > 0 ? text.ptr[t->from - 1] : ' ';
	char behind = t->end < text.len ? text.ptr[t->end] : ' ';
	char next = t->end + 1 < text.len ? text.ptr[t->end + 1] : ' ';

	if (strchr("+$#./@=-_&%,", before) != NULL ||
	    ((unsigned char)before >= 0x80 && t->from > 2 &&
	    slice_eq(slice_sub(text, t->from - 3, 3), SLICE("€"))))
		return false;
	if (strchr("%/@=_&", behind) != NULL ||
	    (behind == ' ' && ascii_digit(next)) || (before == ' ' &&
	    t->from > 1 && ascii_digit(text.ptr[t->from - 2])))
		return false;
	return strchr(".,:-", behind) == NULL || !ascii_alnum(next);
}

/* A year is one, unless it is named as the code. */
static bool
year(struct slice text, const struct token *t)
{
	size_t i = t->from;

	if (t->digits != 4 || t->end - t->from != 4 ||
	    (memcmp(text.ptr + t->from, "19", 2) != 0 &&
	    memcmp(text.ptr + t->from, "20", 2) != 0))
		return false;
	while (i > 0 && ascii_space(text.ptr[i - 1]))
		i--;
	return i == 0 || text.ptr[i - 1] != ':';
}

static bool
is_code(struct slice text, const struct token *t)
{
	unsigned all_of = t->digits + t->capitals;

	if (t->smalls > 0 || !stands_alone(text, t))
		return false;
	if (t->capitals == 0)
		return t->digits >= CODE_MIN && t->digits <= CODE_MAX &&
		    !year(text, t);
	return (t->capitals == 1 && t->digits == 6) ||
	    (t->digits >= 2 && all_of >= 5 && all_of <= CODE_MAX);
}

bool
graymail_code_near(struct slice text, size_t at, size_t len)
{
	size_t from = at > BEFORE ? at - BEFORE : 0;
	size_t end = at + len + BEHIND;
	struct token t;

	if (end > text.len)
		end = text.len;
	/* Not from the middle of a longer one. */
	while (from > 0 && from < at && token_byte(text.ptr[from - 1]))
		from++;
	while (next_token(text, &from, end, &t))
		if (is_code(text, &t))
			return true;
	return false;
}
