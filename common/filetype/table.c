#include "filetype/table.h"

#include <stddef.h>

#define EXE	FILETYPE_EXECUTABLE
#define SCRIPT	FILETYPE_SCRIPT
#define TEXT	FILETYPE_TEXT
#define OFFICE	FILETYPE_OFFICE
#define MACRO	(FILETYPE_OFFICE | FILETYPE_MACRO)
#define ARCHIVE	FILETYPE_ARCHIVE
#define DISK	FILETYPE_DISK
#define IMAGE	FILETYPE_IMAGE
#define AUDIO	FILETYPE_AUDIO
#define VIDEO	FILETYPE_VIDEO
#define OOXML	"application/vnd.openxmlformats-officedocument."
#define ODF	"application/vnd.oasis.opendocument."

const struct filetype filetype_table[] = {
	/* What is none of them. */
	{ "empty", "", "", "empty", NULL, 0, false },
	{ "data", "", "", "data", NULL, FILETYPE_UNKNOWN, false },
	{ "text", "txt,text,log,md,cfg,ini,conf,diff,patch,license,tex",
	  "text/plain,text/markdown", "text", NULL, TEXT, false },

	/* Programs. */
	{ "pe", "exe,dll,scr,cpl,ocx,sys,drv,pif,efi,ax,xll,mui,com",
	  "application/x-dosexec,application/x-msdownload,application/x-exe,"
	  "application/vnd.microsoft.portable-executable,"
	  "application/x-msdos-program", "program", "dos", EXE, true },
	{ "dos", "", "", "program", NULL, EXE, true },
	{ "elf", "elf,so,o,ko,run,axf,prx,puff",
	  "application/x-executable,application/x-elf,"
	  "application/x-sharedlib,application/x-pie-executable",
	  "program", NULL, EXE, true },
	{ "macho", "macho,dylib,bundle", "application/x-mach-binary",
	  "program", NULL, EXE, true },
	{ "class", "class", "application/java-vm,application/x-java-applet,"
	  "application/x-java", "java", NULL, EXE, true },
	{ "jar", "jar,war,ear", "application/java-archive,"
	  "application/x-java-archive", "java", "zip", EXE | ARCHIVE, true },
	{ "apk", "apk,xapk", "application/vnd.android.package-archive",
	  "java", "zip", EXE | ARCHIVE | FILETYPE_INSTALLER, true },
	{ "dex", "dex", "application/vnd.android.dex", "program", NULL, EXE,
	  true },
	{ "wasm", "wasm", "application/wasm", "program", NULL, EXE, true },
	{ "pyc", "pyc,pyo", "application/x-python-code", "program", NULL,
	  EXE, false },
	{ "luac", "luac", "", "program", NULL, EXE, true },
	{ "swf", "swf,spl", "application/x-shockwave-flash", "program", NULL,
	  EXE, true },
	{ "nes", "nes", "application/x-nintendo-nes-rom", "program", NULL, EXE,
	  true },
	{ "crx", "crx", "application/x-google-chrome-extension", "program",
	  NULL, EXE | FILETYPE_INSTALLER, true },
	{ "xpi", "xpi", "application/x-xpinstall", "program", "zip",
	  EXE | FILETYPE_INSTALLER, true },

	/* What installs programs. */
	{ "msi", "msi,msp,mst", "application/x-msi,"
	  "application/x-ms-installer", "installer", "ole2",
	  EXE | FILETYPE_INSTALLER, true },
	{ "msix", "msix,appx,msixbundle,appxbundle", "application/msix",
	  "installer", "zip", EXE | FILETYPE_INSTALLER, true },
	{ "appinstaller", "appinstaller,application", "application/appinstaller"
	  ",application/x-ms-application", "script", "xml",
	  SCRIPT | FILETYPE_INSTALLER, false },
	{ "rpm", "rpm", "application/x-rpm", "installer", NULL,
	  EXE | FILETYPE_INSTALLER, true },
	{ "deb", "deb,udeb", "application/vnd.debian.binary-package,"
	  "application/x-deb", "installer", "ar", EXE | FILETYPE_INSTALLER,
	  true },
	{ "xar", "xar,pkg", "application/x-xar", "installer", NULL,
	  ARCHIVE | FILETYPE_INSTALLER, true },

	/* Scripts. */
	{ "script", "sh,bash,zsh,ksh,csh,fish,py,pyw,pl,pm,rb,lua,tcl,awk,"
	  "command", "text/x-shellscript,application/x-sh,"
	  "application/x-shellscript,text/x-python,text/x-script.python,"
	  "text/x-perl,application/x-perl,text/x-ruby,application/x-csh,"
	  "text/x-lua,text/x-tcl,text/x-awk,text/x-gawk", "script", "text",
	  SCRIPT | TEXT, false },
	{ "javascript", "js,mjs,cjs,jse,jsx", "text/javascript,"
	  "application/javascript,application/x-javascript", "script", "text",
	  SCRIPT | TEXT, false },
	{ "vbscript", "vbs,vbe,vb", "text/vbscript,text/vbs,"
	  "application/x-vbscript", "script", "text", SCRIPT | TEXT, false },
	{ "batch", "bat,cmd,btm,nt", "application/x-bat,"
	  "application/x-msdos-batch,text/x-msdos-batch", "script", "text",
	  SCRIPT | TEXT, false },
	{ "powershell", "ps1,psm1,psd1,ps1xml,psc1,msh,msh1,msh2,cdxml,pssc",
	  "application/x-powershell", "script", "text", SCRIPT | TEXT, false },
	{ "wsf", "wsf,ws,wsc,wsh,sct,scf", "text/scriptlet", "script", "text",
	  SCRIPT | TEXT, false },
	{ "hta", "hta", "application/hta", "script", "text", SCRIPT | TEXT,
	  false },
	{ "reg", "reg", "text/x-ms-regedit", "script", "text", SCRIPT | TEXT,
	  true },
	{ "inf", "inf,ins,isp", "", "script", "text", SCRIPT | TEXT, false },
	{ "php", "php,php3,php4,php5,phtml,phar", "application/x-httpd-php,"
	  "text/x-php", "script", "text", SCRIPT | TEXT, false },
	{ "msc", "msc,xbap,diagcab,diagcfg,diagpkg", "", "script", "xml",
	  SCRIPT, false },
	{ "encoded-script", "", "", "script", "text", SCRIPT | TEXT, true },
	{ "chm", "chm", "application/vnd.ms-htmlhelp,application/x-chm",
	  "script", NULL, SCRIPT, true },
	{ "hlp", "hlp", "application/winhlp", "script", NULL, SCRIPT, true },
	{ "applescript", "scpt,scptd", "", "script", NULL, SCRIPT, false },
	{ "clsid", "", "", "script", NULL, SCRIPT, false },

	/* What leads elsewhere. */
	{ "lnk", "lnk", "application/x-ms-shortcut", "shortcut", NULL,
	  FILETYPE_SHORTCUT, true },
	{ "url", "url,website,webloc,desktop", "application/internet-shortcut,"
	  "application/x-mswinurl,application/x-desktop", "shortcut", "text",
	  FILETYPE_SHORTCUT | TEXT, false },
	{ "mac-alias", "alias", "application/x.apple.alias", "shortcut", NULL,
	  FILETYPE_SHORTCUT, true },
	{ "search-ms", "search-ms,library-ms,settingcontent-ms,"
	  "searchconnector-ms,theme,themepack,desktopthemepack", "",
	  "shortcut", "text", FILETYPE_SHORTCUT, false },
	{ "iqy", "iqy,oqy,rqy,dqy,slk,xsl,xslt", "text/x-ms-iqy", "shortcut",
	  "text", FILETYPE_SHORTCUT, false },
	{ "rdp", "rdp", "application/x-rdp", "shortcut", "text",
	  FILETYPE_SHORTCUT, false },

	/* Office. */
	{ "docx", "docx", OOXML "wordprocessingml.document", "office", "zip",
	  OFFICE, true },
	{ "dotx", "dotx", OOXML "wordprocessingml.template", "office", "zip",
	  OFFICE, true },
	{ "docm", "docm,dotm", "application/vnd.ms-word.document.macroenabled."
	  "12,application/vnd.ms-word.template.macroenabled.12", "office",
	  "zip", MACRO, true },
	{ "xlsx", "xlsx,xltx", OOXML "spreadsheetml.sheet," OOXML
	  "spreadsheetml.template", "office", "zip", OFFICE, true },
	{ "xlsm", "xlsm,xltm,xlam", "application/vnd.ms-excel.sheet."
	  "macroenabled.12,application/vnd.ms-excel.template.macroenabled.12,"
	  "application/vnd.ms-excel.addin.macroenabled.12", "office", "zip",
	  MACRO, true },
	{ "xlsb", "xlsb", "application/vnd.ms-excel.sheet.binary."
	  "macroenabled.12", "office", "zip", OFFICE, true },
	{ "pptx", "pptx,ppsx,potx", OOXML "presentationml.presentation," OOXML
	  "presentationml.slideshow," OOXML "presentationml.template",
	  "office", "zip", OFFICE, true },
	{ "pptm", "pptm,ppsm,potm,ppam,sldm", "application/vnd.ms-powerpoint."
	  "presentation.macroenabled.12,application/vnd.ms-powerpoint."
	  "slideshow.macroenabled.12,application/vnd.ms-powerpoint.template."
	  "macroenabled.12", "office", "zip", MACRO, true },
	{ "vsdx", "vsdx,vstx,vssx", "application/vnd.visio,"
	  "application/vnd.ms-visio.drawing", "office", "zip", OFFICE, true },
	{ "vsdm", "vsdm,vstm,vssm",
	  "application/vnd.ms-visio.drawing.macroenabled.12", "office", "zip",
	  MACRO, true },
	{ "ooxml", "", "", "office", "zip", OFFICE, true },
	{ "doc", "doc,dot,wbk", "application/msword", "office", "ole2", OFFICE,
	  true },
	{ "xls", "xls,xlt,xlm,xla,xlw", "application/vnd.ms-excel,"
	  "application/msexcel,application/x-excel", "office", "ole2", OFFICE,
	  true },
	{ "ppt", "ppt,pps,pot,ppa", "application/vnd.ms-powerpoint", "office",
	  "ole2", OFFICE, true },
	{ "vsd", "vsd,vst,vss", "application/x-visio", "office", "ole2",
	  OFFICE, true },
	{ "pub", "pub", "application/x-mspublisher", "office", "ole2", OFFICE,
	  true },
	{ "mpp", "mpp", "application/vnd.ms-project", "office", "ole2", OFFICE,
	  true },
	{ "ole2", "cfb", "application/x-ole-storage,application/x-cfb",
	  "office", NULL, OFFICE, true },
	{ "odt", "odt,ott,odm", ODF "text," ODF "text-template", "office",
	  "zip", OFFICE, true },
	{ "ods", "ods,ots", ODF "spreadsheet," ODF "spreadsheet-template",
	  "office", "zip", OFFICE, true },
	{ "odp", "odp,otp", ODF "presentation," ODF "presentation-template",
	  "office", "zip", OFFICE, true },
	{ "odg", "odg,otg", ODF "graphics," ODF "graphics-template", "office",
	  "zip", OFFICE, true },
	{ "odf", "odf,odc,odi,odb", ODF "formula," ODF "chart," ODF "image,"
	  ODF "database", "office", "zip", OFFICE, true },
	{ "rtf", "rtf", "application/rtf,text/rtf", "office", "text", OFFICE,
	  true },
	{ "onenote", "one,onetoc2,onepkg", "application/onenote,"
	  "application/msonenote", "onenote", NULL, OFFICE | FILETYPE_EMBEDS,
	  true },
	{ "access", "mdb,accdb,mde,accde,mda,accda,ade,adp,mdw",
	  "application/x-msaccess,application/msaccess", "office", NULL,
	  MACRO, true },
	{ "iwork", "pages,numbers,key", "application/vnd.apple.pages,"
	  "application/vnd.apple.numbers,application/vnd.apple.keynote",
	  "office", "zip", OFFICE, true },
	{ "epub", "epub", "application/epub+zip", "office", "zip", OFFICE,
	  true },
	{ "xps", "xps,oxps", "application/vnd.ms-xpsdocument,application/oxps",
	  "office", "zip", OFFICE, true },
	{ "pdf", "pdf,fdf", "application/pdf,application/x-pdf", "pdf", NULL,
	  FILETYPE_PDF, true },
	{ "postscript", "ps,eps,ai", "application/postscript,application/eps,"
	  "image/x-eps", "postscript", NULL, SCRIPT, true },

	/* Mail and what comes with it. */
	{ "mail", "eml,mht,mhtml,mime", "message/rfc822,multipart/related",
	  "mail", "text", FILETYPE_MAIL | TEXT, false },
	{ "msg", "msg,oft", "application/vnd.ms-outlook", "mail", "ole2",
	  FILETYPE_MAIL, true },
	{ "tnef", "tnef", "application/ms-tnef,application/vnd.ms-tnef",
	  "mail", NULL, ARCHIVE, false },
	{ "mbox", "mbox", "application/mbox", "mail", "text", FILETYPE_MAIL |
	  TEXT, false },
	{ "pst", "pst,ost", "application/vnd.ms-outlook-pst", "mail", NULL,
	  FILETYPE_MAIL, true },
	{ "ics", "ics,ifb", "text/calendar", "text", "text", TEXT, true },
	{ "vcard", "vcf,vcard", "text/vcard,text/x-vcard", "text", "text",
	  TEXT, true },
	{ "smime", "p7m,p7s,p7c,p7z", "application/pkcs7-mime,"
	  "application/pkcs7-signature,application/x-pkcs7-mime,"
	  "application/x-pkcs7-signature", "crypto", NULL, 0, false },
	{ "pgp", "pgp,gpg,asc,sig", "application/pgp-encrypted,"
	  "application/pgp-signature,application/pgp-keys", "crypto", "text",
	  0, false },
	{ "pgp-armor", "", "", "crypto", NULL, TEXT, true },
	{ "pem", "pem,crt,cer,key,csr,der", "application/x-x509-ca-cert",
	  "crypto", "text", TEXT, false },

	/* Text with a grammar. */
	{ "html", "html,htm,xhtml,shtml,xht,htx", "text/html,"
	  "application/xhtml+xml", "html", "text", FILETYPE_HTML | TEXT,
	  false },
	{ "svg", "svg", "image/svg+xml", "html", "text",
	  IMAGE | TEXT | FILETYPE_HTML, false },
	{ "xml", "xml,xsd,rss,atom,kml,gpx", "text/xml,application/xml,"
	  "application/rss+xml", "text", "text", TEXT, false },
	{ "csv", "csv,tsv", "text/csv,text/tab-separated-values,"
	  "application/csv", "text", "text", TEXT, false },
	{ "json", "json,geojson", "application/json,text/json", "text", "text",
	  TEXT, false },
	{ "vtt", "vtt,srt", "text/vtt", "text", "text", TEXT, false },
	{ "css", "css", "text/css", "text", "text", TEXT, false },
	{ "source", "c,h,cc,cpp,java,go,rs,sql,cs,ts", "text/x-c,text/x-csrc",
	  "text", "text", TEXT, false },

	/* Archives. */
	{ "zip", "zip,zipx,kmz,3mf,unitypackage", "application/zip,"
	  "application/x-zip-compressed,application/x-zip,model/3mf",
	  "archive", NULL, ARCHIVE, true },
	{ "7z", "7z", "application/x-7z-compressed", "archive", NULL, ARCHIVE,
	  true },
	{ "rar", "rar", "application/vnd.rar,application/x-rar-compressed,"
	  "application/x-rar", "archive", NULL, ARCHIVE, true },
	{ "gzip", "gz,tgz,svgz,emz", "application/gzip,application/x-gzip",
	  "archive", NULL, ARCHIVE, true },
	{ "bzip2", "bz2,bz,tbz2,tbz", "application/x-bzip2,application/x-bzip",
	  "archive", NULL, ARCHIVE, true },
	{ "xz", "xz,txz", "application/x-xz", "archive", NULL, ARCHIVE, true },
	{ "lzma", "lzma", "application/x-lzma", "archive", NULL, ARCHIVE,
	  false },
	{ "zstd", "zst,tzst", "application/zstd", "archive", NULL, ARCHIVE,
	  true },
	{ "lz4", "lz4", "application/x-lz4", "archive", NULL, ARCHIVE, true },
	{ "lzip", "lz", "application/x-lzip,application/lzip", "archive", NULL,
	  ARCHIVE, true },
	{ "compress", "z,taz", "application/x-compress", "archive", NULL,
	  ARCHIVE, true },
	{ "cab", "cab", "application/vnd.ms-cab-compressed", "archive", NULL,
	  ARCHIVE, true },
	{ "tar", "tar", "application/x-tar,application/x-gtar", "archive",
	  NULL, ARCHIVE, true },
	{ "ar", "ar,a,lib", "application/x-archive,application/x-unix-archive",
	  "archive", NULL, ARCHIVE, true },
	{ "cpio", "cpio", "application/x-cpio", "archive", NULL, ARCHIVE,
	  true },
	{ "lha", "lha,lzh", "application/x-lzh-compressed,application/x-lha",
	  "archive", NULL, ARCHIVE, true },
	{ "arj", "arj", "application/x-arj", "archive", NULL, ARCHIVE, true },
	{ "ace", "ace", "application/x-ace-compressed", "archive", NULL,
	  ARCHIVE, true },
	{ "alz", "alz", "", "archive", NULL, ARCHIVE, true },
	{ "egg", "egg", "", "archive", NULL, ARCHIVE, false },
	{ "zoo", "zoo", "application/x-zoo", "archive", NULL, ARCHIVE, true },
	{ "stuffit", "sit,sitx", "application/x-stuffit", "archive", NULL,
	  ARCHIVE, true },
	{ "asar", "asar", "application/x-asar", "archive", NULL, ARCHIVE,
	  true },
	{ "uue", "uue,uu", "text/x-uuencode", "archive", "text", ARCHIVE,
	  false },
	{ "binhex", "hqx", "application/mac-binhex40", "archive", "text",
	  ARCHIVE, false },

	/* Images of disks. */
	{ "iso", "iso,udf", "application/x-iso9660-image,"
	  "application/x-cd-image", "disk", NULL, DISK | ARCHIVE, true },
	{ "vhd", "vhd", "application/x-vhd", "disk", NULL, DISK, true },
	{ "vhdx", "vhdx,avhdx", "application/x-vhdx", "disk", NULL, DISK,
	  true },
	{ "vmdk", "vmdk", "application/x-vmdk", "disk", NULL, DISK, false },
	{ "qcow", "qcow,qcow2", "application/x-qemu-disk", "disk", NULL, DISK,
	  true },
	{ "dmg", "dmg,smi", "application/x-apple-diskimage", "disk", NULL,
	  DISK, true },
	{ "wim", "wim,esd,swm", "application/x-ms-wim", "disk", NULL,
	  DISK | ARCHIVE, true },
	{ "squashfs", "sqsh,sfs,snap,appimage", "", "disk", NULL,
	  DISK, false },
	{ "fat", "img,ima,dsk", "application/x-raw-disk-image", "disk", NULL,
	  DISK, false },

	/* Pictures. */
	{ "jpeg", "jpg,jpeg,jpe,jfif", "image/jpeg,image/jpg,image/pjpeg",
	  "image", NULL, IMAGE, true },
	{ "png", "png,apng", "image/png,image/x-png,image/apng", "image", NULL,
	  IMAGE, true },
	{ "gif", "gif", "image/gif", "image", NULL, IMAGE, true },
	{ "bmp", "bmp,dib", "image/bmp,image/x-ms-bmp", "image", NULL, IMAGE,
	  true },
	{ "tiff", "tif,tiff,nef,dng,cr2,arw,nrw,sr2", "image/tiff", "image",
	  NULL, IMAGE, true },
	{ "webp", "webp", "image/webp", "image", NULL, IMAGE, true },
	{ "ico", "ico,cur", "image/x-icon,image/vnd.microsoft.icon", "image",
	  NULL, IMAGE, true },
	{ "psd", "psd,psb", "image/vnd.adobe.photoshop", "image", NULL, IMAGE,
	  true },
	{ "heif", "heic,heif,avif", "image/heic,image/heif,image/avif",
	  "image", NULL, IMAGE, true },
	{ "jp2", "jp2,jpx,jpm,mj2,j2c,j2k,jpf", "image/jp2,image/jpx,image/jpm,"
	  "video/mj2,image/j2c", "image", NULL, IMAGE, true },
	{ "jxl", "jxl", "image/jxl", "image", NULL, IMAGE, true },
	{ "jxr", "jxr,wdp,hdp", "image/jxr,image/vnd.ms-photo", "image", NULL,
	  IMAGE, true },
	{ "bpg", "bpg", "image/bpg", "image", NULL, IMAGE, true },
	{ "raw-photo", "orf,rw2,raf,cr3", "image/x-olympus-orf,"
	  "image/x-panasonic-rw2,image/x-fujifilm-raf", "image", NULL, IMAGE,
	  true },
	{ "emf", "emf", "image/emf,image/x-emf", "image", NULL, IMAGE, true },
	{ "wmf", "wmf", "image/wmf,image/x-wmf", "image", NULL, IMAGE, false },
	{ "djvu", "djvu,djv", "image/vnd.djvu", "image", NULL, IMAGE, true },
	{ "dwg", "dwg", "image/vnd.dwg", "image", NULL, IMAGE, true },

	/* Sound and film. */
	{ "mp3", "mp3,mp2,mp1,mpa", "audio/mpeg,audio/mp3,audio/mpeg3",
	  "media", NULL, AUDIO, true },
	{ "wav", "wav", "audio/wav,audio/x-wav,audio/vnd.wave", "media", NULL,
	  AUDIO, true },
	{ "flac", "flac", "audio/flac,audio/x-flac", "media", NULL, AUDIO,
	  true },
	{ "ogg", "ogg,oga,opus,spx,ogv,ogx,ogm", "audio/ogg,video/ogg,"
	  "application/ogg,audio/opus", "media", NULL, AUDIO | VIDEO, true },
	{ "aac", "aac", "audio/aac", "media", NULL, AUDIO, true },
	{ "ac3", "ac3", "audio/ac3", "media", NULL, AUDIO, true },
	{ "amr", "amr", "audio/amr", "media", NULL, AUDIO, true },
	{ "midi", "mid,midi", "audio/midi", "media", NULL, AUDIO, true },
	{ "aiff", "aif,aiff,aifc", "audio/aiff,audio/x-aiff", "media", NULL,
	  AUDIO, true },
	{ "ape", "ape", "audio/ape", "media", NULL, AUDIO, true },
	{ "wavpack", "wv", "audio/wavpack", "media", NULL, AUDIO, true },
	{ "dsf", "dsf", "audio/x-dsf", "media", NULL, AUDIO, true },
	{ "voc", "voc", "audio/x-voc", "media", NULL, AUDIO, true },
	{ "tracker", "xm,s3m,it,mod", "audio/x-xm,audio/x-s3m,audio/x-it",
	  "media", NULL, AUDIO, false },
	{ "musepack", "mpc", "audio/x-musepack", "media", NULL, AUDIO, true },
	{ "mp4", "mp4,m4v,m4a,m4b,m4p,mov,qt,3gp,3g2,f4v,f4p,f4a,f4b",
	  "video/mp4,audio/mp4,video/quicktime,video/3gpp,video/3gpp2,"
	  "audio/x-m4a", "media", NULL, AUDIO | VIDEO, true },
	{ "matroska", "mkv,webm,mka,mks", "video/x-matroska,video/webm,"
	  "audio/webm", "media", NULL, AUDIO | VIDEO, true },
	{ "avi", "avi", "video/x-msvideo,video/vnd.avi", "media", NULL, VIDEO,
	  true },
	{ "asf", "asf,wmv,wma", "video/x-ms-asf,video/x-ms-wmv,"
	  "audio/x-ms-wma", "media", NULL, AUDIO | VIDEO, true },
	{ "mpeg", "mpg,mpeg,vob,mts,m2ts", "video/mpeg,video/mp2t", "media",
	  NULL, VIDEO, true },
	{ "flv", "flv", "video/x-flv", "media", NULL, VIDEO, true },
	{ "realmedia", "rm,rmvb,ra", "application/vnd.rn-realmedia", "media",
	  NULL, AUDIO | VIDEO, true },

	/* Fonts. */
	{ "font", "ttf,otf,ttc,woff,woff2", "font/ttf,font/otf,font/woff,"
	  "font/woff2,font/collection,application/font-woff", "font", NULL,
	  FILETYPE_FONT, true },
	{ "eot", "eot", "application/vnd.ms-fontobject", "font", NULL,
	  FILETYPE_FONT, true },

	/* Tables and measurements. */
	{ "sqlite", "sqlite,sqlite3,db", "application/vnd.sqlite3,"
	  "application/x-sqlite3", "database", NULL, 0, false },
	{ "pcap", "pcap,pcapng", "application/vnd.tcpdump.pcap", "database",
	  NULL, 0, true },
	{ "arrow", "arrow", "application/vnd.apache.arrow.file", "database",
	  NULL, 0, true },
	{ "parquet", "parquet", "application/vnd.apache.parquet", "database",
	  NULL, 0, true },
	{ "avro", "avro", "application/vnd.apache.avro", "database", NULL, 0,
	  true },
	{ "shapefile", "shp", "application/x-esri-shape", "database", NULL, 0,
	  true },
	{ "spss", "sav", "application/x-spss-sav", "database", NULL, 0,
	  true },
	{ "jmp", "jmp,jmpprj", "application/x-jmp-data", "database", NULL, 0,
	  true },
	{ "mie", "mie", "application/x-mie", "database", NULL, 0, true },
	{ "hive", "", "", "database", NULL, 0, true },
	{ "fbx", "fbx", "application/x.autodesk.fbx", "model", NULL, 0,
	  false },
	{ "stl", "stl", "model/stl", "model", "text", 0, false },
	{ "draco", "drc", "application/vnd.google.draco", "model", NULL, 0,
	  true },
	{ "ktx", "ktx", "image/ktx", "image", NULL, IMAGE, true },
	{ NULL, NULL, NULL, NULL, NULL, 0, false }
};
