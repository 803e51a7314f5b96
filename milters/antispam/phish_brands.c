#include "phish_known.h"

/*
 * Names that phishing is done with, and the domains of their owners. A name is
 * looked for as a label of a host or a word of one, so common words are none.
 */
const struct phish_brand phish_brands[] = {
	{ "paypal", "paypal.com paypal.me paypalobjects.com paypal-corp.com" },
	{ "amazon", "amazon.com amazon.de amazon.co.uk amazon.co.jp amazon.fr "
	    "amazon.it amazon.es amazon.ca amazon.in amazon.com.br "
	    "amazon.com.au amazon.nl amazon.com.mx amazonaws.com amzn.to "
	    "media-amazon.com amazonses.com amazonpay.com amazon.work "
	    "amazon.jobs" },
	{ "microsoft", "microsoft.com microsoftonline.com live.com office.com "
	    "outlook.com office365.com windows.net azure.com sharepoint.com "
	    "microsoft365.com msn.com skype.com onedrive.com azurewebsites.net "
	    "microsoftemail.com" },
	{ "office365", "office365.com office.com microsoft.com" },
	{ "microsoftonline", "microsoftonline.com" },
	{ "onedrive", "onedrive.com live.com 1drv.ms" },
	{ "sharepoint", "sharepoint.com" },
	{ "icloud", "icloud.com apple.com" },
	{ "appleid", "apple.com" },
	{ "netflix", "netflix.com nflxext.com nflximg.net" },
	{ "facebook", "facebook.com fb.com fb.me facebookmail.com fbcdn.net "
	    "meta.com" },
	{ "instagram", "instagram.com cdninstagram.com" },
	{ "whatsapp", "whatsapp.com whatsapp.net wa.me" },
	{ "linkedin", "linkedin.com lnkd.in licdn.com" },
	{ "twitter", "twitter.com x.com t.co twimg.com" },
	{ "google", "google.com googleapis.com googleusercontent.com "
	    "googlemail.com gmail.com goo.gl google.de google.co.uk google.fr "
	    "googlegroups.com withgoogle.com googleadservices.com "
	    "google-analytics.com googletagmanager.com googlesource.com" },
	{ "gmail", "gmail.com google.com" },
	{ "dropbox", "dropbox.com dropboxusercontent.com dropbox-dns.com "
	    "db.tt dropboxmail.com" },
	{ "docusign", "docusign.com docusign.net" },
	{ "adobe", "adobe.com adobe.io adobesign.com adobelogin.com" },
	{ "wetransfer", "wetransfer.com we.tl wetransfer.net" },
	{ "dhl", "dhl.com dhl.de dhl.fr dhl.co.uk dhl.it dhl.es dhl.nl" },
	{ "fedex", "fedex.com" },
	{ "usps", "usps.com" },
	{ "dpd", "dpd.com dpd.de dpd.co.uk dpd.fr dpdgroup.com" },
	{ "laposte", "laposte.fr laposte.net" },
	{ "correos", "correos.es" },
	{ "chronopost", "chronopost.fr" },
	{ "wellsfargo", "wellsfargo.com wf.com" },
	{ "bankofamerica", "bankofamerica.com bofa.com" },
	{ "jpmorgan", "jpmorgan.com jpmorganchase.com chase.com" },
	{ "citibank", "citibank.com citi.com" },
	{ "capitalone", "capitalone.com capitaloneshopping.com" },
	{ "americanexpress", "americanexpress.com aexp.com" },
	{ "mastercard", "mastercard.com" },
	{ "barclays", "barclays.com barclays.co.uk" },
	{ "barclaycard", "barclaycard.co.uk barclaycard.com" },
	{ "santander", "santander.com santander.co.uk santander.de "
	    "santander.com.br" },
	{ "hsbc", "hsbc.com hsbc.co.uk hsbc.com.hk" },
	{ "natwest", "natwest.com" },
	{ "lloydsbank", "lloydsbank.com lloydsbank.co.uk" },
	{ "sparkasse", "sparkasse.de" },
	{ "commerzbank", "commerzbank.de commerzbank.com" },
	{ "postbank", "postbank.de" },
	{ "volksbank", "volksbank.de vr.de" },
	{ "creditagricole", "credit-agricole.fr" },
	{ "bnpparibas", "bnpparibas.com bnpparibas.net mabanque.bnpparibas" },
	{ "bradesco", "bradesco.com.br banco.bradesco" },
	{ "itau", "itau.com.br" },
	{ "nubank", "nubank.com.br" },
	{ "mercadolivre", "mercadolivre.com.br" },
	{ "mercadopago", "mercadopago.com.br mercadopago.com" },
	{ "rakuten", "rakuten.co.jp rakuten.com rakuten-card.co.jp" },
	{ "smbc", "smbc.co.jp smbc-card.com" },
	{ "coinbase", "coinbase.com" },
	{ "binance", "binance.com binance.us" },
	{ "blockchain", "blockchain.com" },
	{ "metamask", "metamask.io" },
	{ "trustwallet", "trustwallet.com" },
	{ "ebay", "ebay.com ebay.de ebay.co.uk ebayimg.com ebay.fr ebay.it" },
	{ "walmart", "walmart.com" },
	{ "costco", "costco.com" },
	{ "aliexpress", "aliexpress.com" },
	{ "alibaba", "alibaba.com" },
	{ "spotify", "spotify.com" },
	{ "roblox", "roblox.com" },
	{ "steamcommunity", "steamcommunity.com steampowered.com" },
	{ "norton", "norton.com nortonlifelock.com" },
	{ "mcafee", "mcafee.com" },
	{ "geeksquad", "geeksquad.com bestbuy.com" },
	{ "godaddy", "godaddy.com secureserver.net" },
	{ "ionos", "ionos.com ionos.de ionos.co.uk" },
	{ "strato", "strato.de strato.com" },
	{ "verizon", "verizon.com verizon.net verizonwireless.com" },
	{ "xfinity", "xfinity.com comcast.net" },
	{ "vodafone", "vodafone.com vodafone.de vodafone.co.uk vodafone.it" },
	{ "swisscom", "swisscom.ch swisscom.com bluewin.ch" },
	{ "telekom", "telekom.de telekom.com t-online.de" },
	{ "swisspost", "swisspost.ch post.ch" },
	{ "airbnb", "airbnb.com" },
	{ "zimbra", "zimbra.com" },
	{ "roundcube", "roundcube.net" },
	{ "cpanel", "cpanel.net" },
	{ NULL, NULL }
};

/* Who shortens links of anybody. */
const char phish_shorteners[] =
    "bit.ly bitly.com tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly "
    "cutt.ly rebrand.ly rb.gy t.ly shorturl.at tiny.cc tr.im x.co s.id "
    "lnkd.in bl.ink short.io soo.gd clck.ru vk.cc qr.ae adf.ly ouo.io "
    "tny.im u.to shorte.st bc.vc po.st mcaf.ee su.pr dlvr.it db.tt qrco.de "
    "me-qr.com urlz.fr lc.cx 1url.com hyperurl.co linktr.ee tinyurl.is "
    "shrtco.de n9.cl acortar.link rotf.lol shorturl.gg surl.li shorturl.ac "
    "did.li cutt.us gg.gg wp.me fb.me youtu.be amzn.to a.co redd.it "
    "trib.al ift.tt zpr.io snip.ly bitly.ws urlr.me kutt.it t2m.io "
    "smarturl.it clik.cc tiny.one tinylink.in b.link l.ead.me spoo.me";

/* Domains under which anybody may have a site, and that no list of public
 * suffixes names. */
const char phish_hosting[] =
    "weebly.com wixsite.com wix.com square.site webflow.io yolasite.com "
    "jimdosite.com jimdofree.com strikingly.com mystrikingly.com "
    "godaddysites.com 000webhostapp.com webnode.com webnode.page "
    "glitch.me netlify.app vercel.app pages.dev workers.dev r2.dev "
    "web.app firebaseapp.com herokuapp.com github.io gitlab.io "
    "azurewebsites.net windows.net cloudfront.net amazonaws.com "
    "myshopify.com blogspot.com wordpress.com tumblr.com duckdns.org "
    "ngrok.io ngrok-free.app trycloudflare.com surge.sh repl.co "
    "replit.app fleek.co ipfs.io dweb.link cloudflare-ipfs.com "
    "nftstorage.link framer.app framer.website typedream.app carrd.co "
    "notion.site gitbook.io onrender.com fly.dev backblazeb2.com "
    "digitaloceanspaces.com linodeobjects.com cprapid.com plesk.page "
    "hostingerapp.com hostinger.com byethost.com infinityfreeapp.com "
    "rf.gd 42web.io epizy.com temporary.site mybluehost.me sviluppo.host "
    "translate.goog appspot.com storage.googleapis.com sharepoint.com "
    "contaboserver.net ddns.net hopto.org zapto.org sytes.net myftp.org "
    "no-ip.org servehttp.com webcindario.com ucoz.com narod.ru";

/* Who puts his own link before those of others, to look at it when it is
 * clicked. */
const char phish_rewriters[] =
    "urldefense.proofpoint.com urldefense.com urldefense.us "
    "safelinks.protection.outlook.com mimecast.com mimecastprotect.com "
    "cudasvc.com clicktime.symantec.com secure-web.cisco.com "
    "trendmicro.com fireeye.com barracudanetworks.com protection.sophos.com "
    "hornetsecurity.com edgepilot.com isolation.zscaler.com";
