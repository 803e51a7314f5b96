/*
 * outbound_rows - options of mail that goes out: rows for the table in
 * options.c, for which IN(field) is a place in struct outbound_conf
 */
	{ "login_domain", CONF_STRING, IN(login_domain), "", 0, 253,
	  "The domain of logins that have none: with \"example.org\", who logs "
	  "in as bob is bob@example.org. Empty: a login without a domain has "
	  "the settings of its client, or those outside of all scopes.", NULL },
	{ "client_networks", CONF_LIST, IN(client_networks), "", 0, 1000,
	  "Networks whose mail is a client's where nobody has logged in: "
	  "\"192.0.2.0/24=acme\". That client's scope has the settings. The "
	  "narrowest network counts.", NULL },

	{ "recipients_max", CONF_COUNT | CONF_SCOPED, IN(recipients_max),
	  "600", 0, 600,
	  "So many recipients a message may have, over all transactions that "
	  "bring it (recipients_window). Over it nobody gets what is brought. "
	  "0: this sender may send nothing. Postfix's smtpd_recipient_limit "
	  "has to be higher, or clients are told to send the rest in another "
	  "transaction.", NULL },
	{ "recipients_window", CONF_TIME | CONF_SCOPED, IN(recipients_window),
	  "1h", 0, 604800000,
	  "So long after the first one, messages of one sender with the same "
	  "Message-ID are one message to recipients_max. A recipient who comes "
	  "again is counted once. 0s: each transaction is counted by itself.",
	  NULL },
	{ "recipients_action", CONF_ENUM | CONF_SCOPED, IN(recipients_action),
	  "refuse", 0, 0,
	  "What is done with a message of too many recipients. refuse tells "
	  "the client, for good; tempfail has it try again, until it gives up; "
	  "drop takes it and delivers it to nobody, with a record in the store "
	  "or a line in the log.", limit_actions },
	{ "recipients_cells", CONF_COUNT, IN(recipients_cells), "262144", 1024,
	  67108864,
	  "Places for what recipients_window counts: one for each message, one "
	  "for each of its recipients, 16 bytes each. When they run out, the "
	  "oldest of the smallest messages are forgotten. Takes effect at the "
	  "start.", NULL },
	{ "visible_max", CONF_COUNT | CONF_SCOPED, IN(visible_max), "0", 0,
	  10000,
	  "So many addresses may stand in To and Cc, where every recipient "
	  "reads them. 0: any number.", NULL },
	{ "visible_action", CONF_ENUM | CONF_SCOPED, IN(visible_action),
	  "refuse", 0, 0,
	  "What is done with a message that shows more.", limit_actions },
	{ "size_max", CONF_SIZE | CONF_SCOPED, IN(size_max), "256000k", 1024,
	  262144000,
	  "Bytes that a message may have, as it is sent (encoded attachments "
	  "are a third larger than the files). A client that says SIZE= is "
	  "told at MAIL FROM; the bytes that come are counted all the same. "
	  "Postfix's message_size_limit has to be higher.", NULL },
	{ "size_action", CONF_ENUM | CONF_SCOPED, IN(size_action), "refuse",
	  0, 0,
	  "What is done with a message that is larger.", limit_actions },

	{ "senders", CONF_ENUM | CONF_SCOPED, IN(senders), "off", 0, 0,
	  "What is done with outbound mail in a name that is not registered "
	  "for who sends it: its MAIL FROM has to be in sender_addresses, each "
	  "mailbox of From in from_addresses. warn: the journal says so.",
	  severities },
	{ "sender_own", CONF_BOOL | CONF_SCOPED, IN(sender_own), "true", 0, 0,
	  "The address that somebody logs in with, and aliases that lead to "
	  "it, are registered for him.", NULL },
	{ "sender_addresses", CONF_LIST | CONF_SCOPED, IN(sender_addresses),
	  "", 0, 1000,
	  "What may stand in MAIL FROM: \"a@example.org\", \"example.org\" for "
	  "all of a domain, \".example.org\" for all domains below it. The "
	  "empty MAIL FROM of bounces is always allowed. Empty, where nobody "
	  "has logged in: domains of gatehouse.conf.", NULL },
	{ "from_addresses", CONF_LIST | CONF_SCOPED, IN(from_addresses), "", 0,
	  1000,
	  "What may stand in From, in the same form. Empty: the same as in "
	  "sender_addresses.", NULL },

	{ "bounce_address", CONF_STRING | CONF_SCOPED, IN(bounce_address), "",
	  0, 254,
	  "Outbound mail gets this address as its MAIL FROM, so that bounces "
	  "come to a mailbox of their own. SPF is then asked of its domain: "
	  "that has to name the hosts that send, and DMARC needs a DKIM "
	  "signature of the domain in From where this is another one. Empty: "
	  "MAIL FROM stays. That of a bounce does always.", NULL },
	{ "bounce_keyed", CONF_BOOL | CONF_SCOPED, IN(bounce_keyed), "false",
	  0, 0,
	  "Put the original MAIL FROM, the day and a proof behind a plus into "
	  "bounce_address, so that a bounce tells whose mail it was. What would "
	  "be longer than a local part may be gets the address as it is. "
	  "Postfix needs recipient_delimiter = +.", NULL },
	{ "bounce_return", CONF_BOOL | CONF_SCOPED, IN(bounce_return), "false",
	  0, 0,
	  "A bounce to such an address, when its proof is right and not older "
	  "than 30 days, goes on to the original sender instead of the "
	  "mailbox.", NULL },
	{ "bounce_key", CONF_PATH, IN(bounce_key), "", 0, 0,
	  "A file of at least 16 bytes that the proofs are made with; the same "
	  "on all gateways. Empty: the daemon makes one in its state folder.",
	  NULL },

	{ "lint", CONF_ENUM | CONF_SCOPED, IN(lint), "bulk", 0, 0,
	  "Which outbound mail is looked at by the rules below: bulk mail, all "
	  "mail (rules about bulk mail then look at bulk mail), or none. Bulk "
	  "is what has a List- field, Precedence bulk, list or junk, or more "
	  "recipients than bulk_recipients.", lint_modes },
	{ "bulk_recipients", CONF_COUNT | CONF_SCOPED, IN(bulk_recipients),
	  "50", 0, 100000,
	  "Mail to more recipients than this is bulk mail, over all "
	  "transactions that bring it. 0: all mail of this sender is.", NULL },
#define LINT_ROW(name, option, id, of, severity, text) \
	{ "lint_" #option, CONF_ENUM | CONF_SCOPED, \
	  IN(lint_rules[LINT_ ## name]), severity, 0, 0, text, severities },
	LINT_TABLE(LINT_ROW)
#undef LINT_ROW
	{ "role_names", CONF_LIST | CONF_SCOPED, IN(role_names),
	  "abuse, admin, administrator, hostmaster, info, mailer-daemon, "
	  "noc, postmaster, root, security, spam, webmaster", 0, 1000,
	  "Local parts that stand for a task and for no person.", NULL },
	{ "imprint_phrases", CONF_LIST | CONF_SCOPED, IN(imprint_phrases),
	  "imprint, legal notice, impressum, mentions légales", 0, 100,
	  "Phrases of which one stands in the text: letter case and line breaks "
	  "do not matter. One between slashes is a regular expression.", NULL },
	{ "opt_out_phrases", CONF_LIST | CONF_SCOPED, IN(opt_out_phrases),
	  "unsubscribe, opt out, opt-out, abmelden, abbestellen, "
	  "désabonner, désinscrire, se désinscrire", 0, 100,
	  "The same, for the way out of a list.", NULL },
	{ "dkim_selectors", CONF_LIST | CONF_SCOPED, IN(dkim_selectors), "", 0,
	  20,
	  "Selectors under which the sender's domain has its DKIM keys. Empty: "
	  "those of the signatures that the mail brings.", NULL },
	{ "lint_header", CONF_STRING | CONF_SCOPED, IN(lint_header), "", 0, 60,
	  "A header field, as \"X-Gatehouse-Lint\", that names the rules that "
	  "the mail does not keep. Fields of that name that the sender wrote "
	  "are removed. Empty: none.", NULL },
	{ "abuse_address", CONF_STRING | CONF_SCOPED, IN(abuse_address), "", 0,
	  254,
	  "The address that somebody reads who answers complaints about this "
	  "sender's mail. gatehouse doctor looks whether it can get mail.",
	  NULL },
