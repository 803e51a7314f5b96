#include "phish_known.h"

/*
 * Names that phishing is done with, and the domains of their owners. A name is
 * looked for as a label of a host or a word of one, so common words are none.
 * Those that are people's names too are marked.
 */
const struct phish_brand phish_brands[] = {
	{ "paypal", "paypal.com paypal.me paypalobjects.com paypal-corp.com", false },
	{ "amazon", "amazon.com amazon.de amazon.co.uk amazon.co.jp amazon.fr "
	    "amazon.it amazon.es amazon.ca amazon.in amazon.com.br "
	    "amazon.com.au amazon.nl amazon.com.mx amazonaws.com amzn.to "
	    "media-amazon.com amazonses.com amazonpay.com amazon.work "
	    "amazon.jobs", false },
	{ "microsoft", "microsoft.com microsoftonline.com live.com office.com "
	    "outlook.com office365.com windows.net azure.com sharepoint.com "
	    "microsoft365.com msn.com skype.com onedrive.com azurewebsites.net "
	    "microsoftemail.com", false },
	{ "office365", "office365.com office.com microsoft.com", false },
	{ "microsoftonline", "microsoftonline.com", false },
	{ "onedrive", "onedrive.com live.com 1drv.ms", false },
	{ "sharepoint", "sharepoint.com", false },
	{ "icloud", "icloud.com apple.com", false },
	{ "appleid", "apple.com", false },
	{ "netflix", "netflix.com nflxext.com nflximg.net", false },
	{ "facebook", "facebook.com fb.com fb.me facebookmail.com fbcdn.net "
	    "meta.com", false },
	{ "instagram", "instagram.com cdninstagram.com", false },
	{ "whatsapp", "whatsapp.com whatsapp.net wa.me", false },
	{ "linkedin", "linkedin.com lnkd.in licdn.com", false },
	{ "twitter", "twitter.com x.com t.co twimg.com", false },
	{ "google", "google.com googleapis.com googleusercontent.com "
	    "googlemail.com gmail.com goo.gl google.de google.co.uk google.fr "
	    "googlegroups.com withgoogle.com googleadservices.com "
	    "google-analytics.com googletagmanager.com googlesource.com", false },
	{ "gmail", "gmail.com google.com", false },
	{ "dropbox", "dropbox.com dropboxusercontent.com dropbox-dns.com "
	    "db.tt dropboxmail.com", false },
	{ "docusign", "docusign.com docusign.net", false },
	{ "adobe", "adobe.com adobe.io adobesign.com adobelogin.com", false },
	{ "wetransfer", "wetransfer.com we.tl wetransfer.net", false },
	{ "dhl", "dhl.com dhl.de dhl.fr dhl.co.uk dhl.it dhl.es dhl.nl", false },
	{ "fedex", "fedex.com", false },
	{ "usps", "usps.com", false },
	{ "dpd", "dpd.com dpd.de dpd.co.uk dpd.fr dpdgroup.com", false },
	{ "laposte", "laposte.fr laposte.net", false },
	{ "correos", "correos.es", false },
	{ "chronopost", "chronopost.fr", false },
	{ "wellsfargo", "wellsfargo.com wf.com", false },
	{ "bankofamerica", "bankofamerica.com bofa.com", false },
	{ "jpmorgan", "jpmorgan.com jpmorganchase.com chase.com", false },
	{ "citibank", "citibank.com citi.com", false },
	{ "capitalone", "capitalone.com capitaloneshopping.com", false },
	{ "americanexpress", "americanexpress.com aexp.com", false },
	{ "mastercard", "mastercard.com", false },
	{ "barclays", "barclays.com barclays.co.uk", false },
	{ "barclaycard", "barclaycard.co.uk barclaycard.com", false },
	{ "santander", "santander.com santander.co.uk santander.de "
	    "santander.com.br", true },
	{ "hsbc", "hsbc.com hsbc.co.uk hsbc.com.hk", false },
	{ "natwest", "natwest.com", false },
	{ "lloydsbank", "lloydsbank.com lloydsbank.co.uk", false },
	{ "sparkasse", "sparkasse.de", false },
	{ "commerzbank", "commerzbank.de commerzbank.com", false },
	{ "postbank", "postbank.de", false },
	{ "volksbank", "volksbank.de vr.de", false },
	{ "creditagricole", "credit-agricole.fr", false },
	{ "bnpparibas", "bnpparibas.com bnpparibas.net mabanque.bnpparibas", false },
	{ "bradesco", "bradesco.com.br banco.bradesco", false },
	{ "itau", "itau.com.br", false },
	{ "nubank", "nubank.com.br", false },
	{ "mercadolivre", "mercadolivre.com.br", false },
	{ "mercadopago", "mercadopago.com.br mercadopago.com", false },
	{ "rakuten", "rakuten.co.jp rakuten.com rakuten-card.co.jp", false },
	{ "smbc", "smbc.co.jp smbc-card.com", false },
	{ "coinbase", "coinbase.com", false },
	{ "binance", "binance.com binance.us", false },
	{ "blockchain", "blockchain.com", false },
	{ "metamask", "metamask.io", false },
	{ "trustwallet", "trustwallet.com", false },
	{ "ebay", "ebay.com ebay.de ebay.co.uk ebayimg.com ebay.fr ebay.it", false },
	{ "walmart", "walmart.com", false },
	{ "costco", "costco.com", false },
	{ "aliexpress", "aliexpress.com", false },
	{ "alibaba", "alibaba.com", false },
	{ "spotify", "spotify.com", false },
	{ "roblox", "roblox.com", false },
	{ "steamcommunity", "steamcommunity.com steampowered.com", false },
	{ "norton", "norton.com nortonlifelock.com", true },
	{ "mcafee", "mcafee.com", true },
	{ "geeksquad", "geeksquad.com bestbuy.com", false },
	{ "godaddy", "godaddy.com secureserver.net", false },
	{ "ionos", "ionos.com ionos.de ionos.co.uk", false },
	{ "strato", "strato.de strato.com", false },
	{ "verizon", "verizon.com verizon.net verizonwireless.com", false },
	{ "xfinity", "xfinity.com comcast.net", false },
	{ "vodafone", "vodafone.com vodafone.de vodafone.co.uk vodafone.it", false },
	{ "swisscom", "swisscom.ch swisscom.com bluewin.ch", false },
	{ "telekom", "telekom.de telekom.com t-online.de", false },
	{ "swisspost", "swisspost.ch post.ch", false },
	{ "airbnb", "airbnb.com", false },
	{ "zimbra", "zimbra.com", false },
	{ "roundcube", "roundcube.net", false },
	{ "cpanel", "cpanel.net", false },
	{ NULL, NULL, false }
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
