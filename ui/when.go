package ui

import "time"

// Stamp is a time as page structs hold it: RFC 3339, and empty for the zero time.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Day is a date in words. Dates and times are shown in UTC, because the server does not know where the reader is;
// app.js shows the <time> elements of pages in the reader's own zone.
func Day(t time.Time) Text {
	t = t.UTC()
	return Say("date.day", "day", t.Day(), "month", month(t.Month()), "year", t.Format("2006"))
}

// Moment is a date and a time of day in words, to the minute.
func Moment(t time.Time) Text {
	t = t.UTC()
	return Say("date.moment", "date", Day(t), "clock", t.Format("15:04"))
}

// Clock is a time of day, to the second.
func Clock(t time.Time) Text {
	return Say("date.clock", "clock", t.UTC().Format("15:04:05"))
}

func month(m time.Month) Text {
	return Say([...]string{
		time.January: "date.month_1", time.February: "date.month_2", time.March: "date.month_3",
		time.April: "date.month_4", time.May: "date.month_5", time.June: "date.month_6",
		time.July: "date.month_7", time.August: "date.month_8", time.September: "date.month_9",
		time.October: "date.month_10", time.November: "date.month_11", time.December: "date.month_12",
	}[m])
}
