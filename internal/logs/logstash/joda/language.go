package joda

import "strings"

// language is how months and days are called, short and long, days from Sunday.
type language struct {
	months [12][2]string
	days   [7][2]string
}

// pick is the long name or the short one.
func pick(names [2]string, long bool) string {
	if long {
		return names[1]
	}
	return names[0]
}

// languageOf reads a locale such as de, de-AT or de_AT.
func languageOf(locale string) *language {
	tag := strings.ToLower(locale)
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	if l, ok := languages[tag]; ok {
		return l
	}
	return languages["en"]
}

var languages = map[string]*language{
	"en": names("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "January February March April May June July August September October November December",
		"Sun Mon Tue Wed Thu Fri Sat", "Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
	"de": names("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.", "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
		"So. Mo. Di. Mi. Do. Fr. Sa.", "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
	"fr": names("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
		"dim. lun. mar. mer. jeu. ven. sam.", "dimanche lundi mardi mercredi jeudi vendredi samedi"),
	"es": names("ene. feb. mar. abr. may. jun. jul. ago. sept. oct. nov. dic.", "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
		"dom. lun. mar. mié. jue. vie. sáb.", "domingo lunes martes miércoles jueves viernes sábado"),
	"it": names("gen feb mar apr mag giu lug ago set ott nov dic", "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
		"dom lun mar mer gio ven sab", "domenica lunedì martedì mercoledì giovedì venerdì sabato"),
	"pt": names("jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.", "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
		"dom. seg. ter. qua. qui. sex. sáb.", "domingo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado"),
	"nl": names("jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.", "januari februari maart april mei juni juli augustus september oktober november december",
		"zo ma di wo do vr za", "zondag maandag dinsdag woensdag donderdag vrijdag zaterdag"),
}

func names(shortMonths, longMonths, shortDays, longDays string) *language {
	l := &language{}
	for i, s := range strings.Fields(shortMonths) {
		l.months[i][0] = s
	}
	for i, s := range strings.Fields(longMonths) {
		l.months[i][1] = s
	}
	for i, s := range strings.Fields(shortDays) {
		l.days[i][0] = s
	}
	for i, s := range strings.Fields(longDays) {
		l.days[i][1] = s
	}
	return l
}
