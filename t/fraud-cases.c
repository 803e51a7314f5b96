#include "t/fraud-cases.h"

#define FRAUD	true
#define HONEST	false

const struct fraud_case fraud_cases[] = {
	/* ---- deceit ---- */
	{ FRAUD, "the head asks for a task", "\"Erika M\xc3\xbcller-"
	    "L\xc3\xbc" "denscheid\" <ceo.office77@gmail.com>", NULL, NULL,
	    "Quick task", "Hi,\n\nare you at your desk? I need you to handle "
	    "something for me discreetly. I am in a meeting and can't talk "
	    "right now, only by email.\n\nErika\n", PASSES },
	{ FRAUD, "gift cards", "John Smith <johnsmith.cfo@outlook.com>", NULL,
	    NULL, "Favor", "I need you to buy some gift cards for a client, "
	    "scratch the back and send me the codes.\nSent from my iPhone\n",
	    PASSES },
	{ FRAUD, "last name first", "\"SMITH, John\" <exec-desk@mail.com>",
	    NULL, NULL, "Are you around?", "Are you available? Please send me "
	    "your mobile number.\n", PASSES },
	{ FRAUD, "letters of another script", "\"J\xd0\xbehn Sm\xd1\x96th\" "
	    "<office@random-host.net>", NULL, NULL, "Invoice",
	    "Please process the payment today.\n", PASSES },
	{ FRAUD, "the name as the address", "<john.smith1975@yahoo.com>",
	    NULL, NULL, "urgent", "Got a moment? I need you to run a task "
	    "for me: make a payment to a vendor. No calls please, I'm in a "
	    "meeting.\n\nJohn Smith\n", PASSES },
	{ FRAUD, "our domain, forged", "\"Erika Mueller-Luedenscheid\" "
	    "<erika@acme-works.com>", NULL, NULL, "Zahlung", "Bitte heute "
	    "noch eine Zahlung veranlassen.\n", FAILS },
	{ FRAUD, "our domain, forged, answers elsewhere", "\"Accounts\" "
	    "<accounts@acme-works.com>", "acme.accounts@gmail.com", NULL,
	    "Change of bank account", "Please update my direct deposit before "
	    "the next payroll.\n", NO_PROOF },
	{ FRAUD, "look-alike of us", "John Smith <john@acrne-works.com>",
	    NULL, NULL, "Payment", "Please make a payment today.\n", PASSES },
	{ FRAUD, "look-alike of us, nobody's name",
	    "Accounting <accounting@acme-wroks.com>", NULL, NULL,
	    "Outstanding invoice", "Please process the payment of the "
	    "attached invoice as soon as possible. Keep this between us.\n",
	    PASSES },
	{ FRAUD, "look-alike of the supplier", "Nordlicht Logistik "
	    "<buchhaltung@nordlicht-Iogistik.de>", NULL, NULL, "Rechnung "
	    "4711", "Sehr geehrte Damen und Herren,\n\nunsere Bankverbindung "
	    "hat sich ge\xc3\xa4ndert. Bitte \xc3\xbc" "berweisen Sie auf "
	    "unser neues Konto DE02 1203 0000 0000 2020 51.\n", PASSES },
	{ FRAUD, "the supplier's mailbox in other hands",
	    "Nordlicht Logistik <rechnung@nordlicht-logistik.de>", NULL, NULL,
	    "AW: Rechnung 4711", "Guten Tag,\n\nbitte beachten Sie unsere neue "
	    "Bankverbindung f\xc3\xbcr die offene Rechnung: LT12 1000 0111 "
	    "0100 1000\n", PASSES },
	{ FRAUD, "the supplier's mailbox, an account at home",
	    "Nordlicht Logistik <rechnung@nordlicht-logistik.de>", NULL, NULL,
	    "Rechnung 4712", "Unsere Bankverbindung hat sich ge\xc3\xa4ndert: "
	    "DE02 1203 0000 0000 2020 51. Bitte begleichen Sie die offene "
	    "Rechnung.\n", PASSES },
	{ FRAUD, "an address in the name", "\"john@acme-works.com\" "
	    "<support@cheap-hosting.ru>", NULL, NULL, "Re: payment",
	    "Can you process a payment today? It is urgent.\n", PASSES },
	{ FRAUD, "payroll", "Jan de Vries <jdv.private@protonmail.com>", NULL,
	    NULL, "Payroll", "Hello,\n\nI would like to update my direct "
	    "deposit information before the next payroll.\n\nJan de Vries\n",
	    PASSES },
	{ FRAUD, "signed by the head", "Vorstand <vorstand@beratung-kanzlei"
	    ".info>", "office.vorstand@gmx.de", NULL, "Streng vertraulich",
	    "Guten Tag,\n\nwir bereiten eine \xc3\x9c" "bernahme vor. Bitte "
	    "streng vertraulich behandeln und niemandem davon erz\xc3\xa4hlen."
	    " K\xc3\xb6nnen Sie heute noch eine \xc3\x9c" "berweisung "
	    "vornehmen?\n\nErika M\xc3\xbcller-L\xc3\xbc" "denscheid\n",
	    PASSES },
	{ FRAUD, "German", "\"Erika M\xc3\xbcller-L\xc3\xbc" "denscheid\" "
	    "<chef@mailbox-direkt.de>", NULL, NULL, "Dringend",
	    "Sind Sie im B\xc3\xbcro? Ich kann gerade nicht telefonieren, "
	    "bitte nur per E-Mail.\n", PASSES },
	{ FRAUD, "French", "John Smith <direction.generale@orange.fr>", NULL,
	    NULL, "Dossier", "Bonjour,\n\n\xc3\xaates-vous disponible ? C'est "
	    "une op\xc3\xa9ration confidentielle, n'en parlez \xc3\xa0 "
	    "personne.\n", PASSES },
	{ FRAUD, "Spanish", "John Smith <gerencia@terra.es>", NULL, NULL,
	    "Urgente", "Hola, \xc2\xbf" "est\xc3\xa1s en la oficina? Necesito "
	    "realizar un pago hoy mismo, queda entre nosotros.\n", PASSES },
	{ FRAUD, "Italian", "\"Smith John\" <direzione@libero.it>", NULL, NULL,
	    "Richiesta", "Buongiorno, sei in ufficio? Dobbiamo effettuare un "
	    "pagamento urgente, massima riservatezza.\n", PASSES },
	{ FRAUD, "Dutch", "John Smith <directie@ziggo.nl>", NULL, NULL,
	    "Vraag", "Hoi, ben je op kantoor? Ik zit in een vergadering. Kun "
	    "je vandaag nog een betaling uitvoeren?\n", PASSES },
	{ FRAUD, "Portuguese", "John Smith <diretoria@sapo.pt>", NULL, NULL,
	    "Pagamento", "Bom dia, est\xc3\xa1 dispon\xc3\xadvel? Preciso de "
	    "fazer um pagamento ainda hoje. Estou em reuni\xc3\xa3o.\n",
	    PASSES },
	{ FRAUD, "Polish", "John Smith <prezes@wp.pl>", NULL, NULL, "Pilne",
	    "Czy jeste\xc5\x9b dost\xc4\x99pna? Prosz\xc4\x99 o przelew "
	    "jeszcze dzisiaj. Jestem na spotkaniu, tylko mailowo.\n", PASSES },
	{ FRAUD, "initials", "J. Smith <jsmith.office@aol.com>", NULL, NULL,
	    "Request", "Are you available? I need you to handle a wire "
	    "transfer. Keep this confidential.\n", PASSES },
	{ FRAUD, "answers to a look-alike", "Mark Brown "
	    "<mark@brown-consult.com>", "mark@brown-consu1t.com", NULL,
	    "New payment instructions", "Please note our new bank details for "
	    "the pending invoice.\n", PASSES },
	{ FRAUD, "answers to a free mailer", "Billing <billing@some-vendor"
	    ".com>", "vendor.billing@gmail.com", NULL, "Overdue invoice",
	    "Our bank account has changed. Please process the payment within "
	    "the hour, and keep this between us.\n", NO_PROOF },
	{ FRAUD, "letters one by one", "\"\xf0\x9d\x90\x89\xf0\x9d\x90\xa8"
	    "\xf0\x9d\x90\xa1\xf0\x9d\x90\xa7 Smith\" <x@webhost.info>", NULL,
	    NULL, "hello", "Are you there?\n", PASSES },
	{ FRAUD, "forged, of the head, no words", "Erika "
	    "<erika@acme-works.com>", "erika.mueller@consultant.com", NULL,
	    "Hello", "Please answer.\n", FAILS },

	/* ---- honest ---- */
	{ HONEST, "a new customer in a hurry", "Paul Jones "
	    "<paul@jones-garden.co.uk>", NULL, NULL, "Urgent: order",
	    "Hello,\n\nwe urgently need 20 units. Can you tell me your price "
	    "as soon as possible?\n\nPaul\n", PASSES },
	{ HONEST, "a first invoice with an account", "Malerei Huber "
	    "<info@malerei-huber.at>", NULL, NULL, "Rechnung 2026/17",
	    "Anbei unsere Rechnung. Bitte \xc3\xbc" "berweisen Sie den Betrag "
	    "auf AT61 1904 3002 3457 3201.\n", PASSES },
	{ HONEST, "the supplier's usual invoice", "Nordlicht Logistik "
	    "<rechnung@nordlicht-logistik.de>", NULL, NULL, "Rechnung 4713",
	    "Bitte \xc3\xbc" "berweisen Sie auf DE89 3704 0044 0532 0130 00. "
	    "Die offene Rechnung ist dringend.\n", PASSES },
	{ HONEST, "the head from home", "\"Erika M\xc3\xbcller-L\xc3\xbc"
	    "denscheid\" <erika@home-mail.de>", NULL, NULL, "Quick task",
	    "Are you at your desk? Please make a payment to the caterer.\n",
	    PASSES },
	{ HONEST, "the head at work", "\"Erika M\xc3\xbcller-L\xc3\xbc"
	    "denscheid\" <erika@acme-works.com>", NULL, NULL, "Urgent",
	    "Please process the payment today, strictly confidential matter."
	    "\n", PASSES },
	{ HONEST, "somebody of the same name", "John Smith "
	    "<john.smith@plumbers-union.org>", NULL, NULL, "Your visit",
	    "Dear all,\n\nthank you for your visit last week. The photographs "
	    "are attached.\n\nJohn Smith\nPlumbers' Union\n", PASSES },
	{ HONEST, "same name, free mailer, first time", "John Smith "
	    "<smith4477@gmail.com>", NULL, NULL, "Application",
	    "Dear Sir or Madam,\n\nplease find my application attached.\n\n"
	    "John Smith\n", PASSES },
	{ HONEST, "a newsletter about gift cards", "Shop "
	    "<news@shop-mail.com>", "answers@shop-help.com",
	    "List-Unsubscribe: <mailto:u@shop-mail.com>\n", "Gift cards for "
	    "everybody", "Our gift cards are back! Hurry, as soon as "
	    "possible. Amazon cards as well. Are you available? Make a "
	    "payment today.\n", PASSES },
	{ HONEST, "a list that has passed on our own mail", "John Smith via "
	    "Discuss <john@acme-works.com>", "discuss@lists.example.org",
	    "List-Id: <discuss.example.org>\n", "Re: [discuss] patch",
	    "Looks good to me.\n", FAILS },
	{ HONEST, "a list that rewrites From", "\"john@acme-works.com via "
	    "Discuss\" <discuss@lists.example.org>", "john@acme-works.com",
	    "List-Id: <discuss.example.org>\n", "Re: [discuss] patch",
	    "Looks good to me.\n", PASSES },
	{ HONEST, "our own tool elsewhere, unproven", "Ticket system "
	    "<tickets@acme-works.com>", NULL, NULL, "[#4711] printer",
	    "The printer on floor two has been repaired.\n", NO_PROOF },
	{ HONEST, "support desk with answers elsewhere", "Vendor Support "
	    "<no-reply@vendor-mail.com>", "support@vendor.com", NULL,
	    "Case 12345", "We have an answer to your question. Please reply "
	    "as soon as possible.\n", PASSES },
	{ HONEST, "a bank's notice", "Bank <service@bigbank.de>", NULL, NULL,
	    "Ihre \xc3\x9c" "berweisung", "Ihre \xc3\x9c" "berweisung wurde "
	    "ausgef\xc3\xbchrt. Dies ist eine dringende Sicherheits"
	    "information.\n", PASSES },
	{ HONEST, "lawyer, confidential", "Kanzlei Weber "
	    "<weber@kanzlei-weber.de>", NULL, NULL, "Vertrag",
	    "Bitte streng vertraulich behandeln. Der Entwurf ist beigelegt; "
	    "ich bitte dringend um R\xc3\xbc" "ckmeldung.\n", PASSES },
	{ HONEST, "an answer that quotes a warning", "Anna "
	    "<anna@good-client.com>", NULL, NULL, "Re: warning",
	    "Thanks for the hint!\n\n> Never buy some gift cards for the CEO,"
	    "\n> even if they say keep this between us, are you at your desk,"
	    "\n> our bank details have changed\n", PASSES },
	{ HONEST, "a colleague's private mail", "Jan de Vries "
	    "<jan@devries-family.nl>", NULL, NULL, "Ziek", "Hoi, ik ben "
	    "vandaag ziek. Groeten, Jan\n", PASSES },
	{ HONEST, "freelancer with another reply address", "Eva Novak "
	    "<eva@novak-design.com>", "eva.novak@gmail.com", NULL, "Invoice",
	    "Please find the outstanding invoice attached.\n", PASSES },
	{ HONEST, "a firm with a similar name", "Info <info@acme.com>", NULL,
	    NULL, "Catalogue", "Our new catalogue is out.\n", PASSES },
	{ HONEST, "a letter to the head", "Paul <paul@good-client.com>", NULL,
	    NULL, "Meeting", "Dear Erika M\xc3\xbcller-L\xc3\xbc" "denscheid,"
	    "\n\nare you available on Tuesday? It is urgent.\n\nPaul\n",
	    PASSES },
	{ HONEST, "French, urgent", "Luc <luc@boulangerie-luc.fr>", NULL, NULL,
	    "Facture", "Bonjour, merci d'effectuer le virement d\xc3\xa8s que "
	    "possible.\n", PASSES },
	{ HONEST, "Spanish, urgent", "Ana <ana@talleres-ana.es>", NULL, NULL,
	    "Factura pendiente", "Buenos d\xc3\xad" "as, le recordamos la "
	    "factura vencida. Es urgente.\n", PASSES },
	{ HONEST, "Italian, urgent", "Ugo <ugo@officina-ugo.it>", NULL, NULL,
	    "Fattura scaduta", "La preghiamo di effettuare il pagamento il "
	    "prima possibile.\n", PASSES },
	{ HONEST, "Polish, a changed account of a stranger",
	    "Biuro <biuro@hurtownia-abc.pl>", NULL, NULL, "Nowy numer konta",
	    "Informujemy, \xc5\xbc" "e od stycznia mamy nowy numer konta. "
	    "Prosimy o przelew.\n", PASSES },
	{ HONEST, "Dutch reminder", "Kees <kees@kees-bouw.nl>", NULL, NULL,
	    "Openstaande factuur", "Wilt u de betaling uitvoeren? Zo snel "
	    "mogelijk graag.\n", PASSES },
	{ HONEST, "Portuguese reminder", "Rui <rui@rui-obras.pt>", NULL, NULL,
	    "Fatura pendente", "Agradecemos que fa\xc3\xa7" "a a "
	    "transfer\xc3\xaancia ainda hoje.\n", PASSES },
	{ HONEST, "a meeting", "Tom <tom@good-client.com>", NULL, NULL,
	    "Call", "I'm in a meeting until three. Do you have a minute "
	    "after that? Please call me.\n", PASSES },
	{ HONEST, "nobody has looked", "John <john@acme-works.com>", NULL,
	    NULL, "Hello", "Nothing special.\n", NOT_LOOKED },
	{ 0 }
};
