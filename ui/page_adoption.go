package ui

import (
	"strconv"
	"strings"
	"time"
)

// Adoption shows how many of a tenant's users have a second step, over time, and how many text messages were sent.
type Adoption struct {
	// Types are the user types, in the tenant's order.
	Types []Choice `json:"types"`
	// Days are those of which there are numbers, the oldest first; the last is today, with the numbers of this moment.
	Days []AdoptionDay `json:"days"`
	// Messages: text messages are sent, or were. Budget is how many may be sent a day, 0 where none are any more; Month is how
	// many were sent since its first day.
	Messages bool `json:"messages"`
	Budget   int  `json:"budget"`
	Month    int  `json:"month"`
	// People leads to the users without a second step; empty where all have one.
	People string `json:"people,omitempty"`
}

// AdoptionDay has the numbers of a day.
type AdoptionDay struct {
	// Date is the day in UTC, as 2006-01-02.
	Date string `json:"date"`
	// All are the users of all types; Types those of each, in the order of Adoption.Types. Where nobody counted, there are
	// none.
	All   Share   `json:"all"`
	Types []Share `json:"types"`
	// Messages is how many text messages were sent.
	Messages int `json:"messages"`
}

// Share is how many of so many.
type Share struct {
	Some int `json:"some"`
	Of   int `json:"of"`
}

// Percent is the share in whole percents, rounded down: 100 means all of them. It is 0 for none alone.
func (s Share) Percent() int {
	switch {
	case s.Of <= 0 || s.Some <= 0:
		return 0
	default:
		return max(1, min(100, s.Some*100/s.Of))
	}
}

// Template implements Page.
func (Adoption) Template() string { return "adoption" }

func (Adoption) part() string { return "adoption" }

// Today has the numbers of this moment.
func (p Adoption) Today() AdoptionDay {
	if len(p.Days) == 0 {
		return AdoptionDay{}
	}
	return p.Days[len(p.Days)-1]
}

// Newest are the days, the last first, as a table shows them.
func (p Adoption) Newest() []AdoptionDay {
	days := make([]AdoptionDay, 0, len(p.Days))
	for i := range p.Days {
		days = append(days, p.Days[len(p.Days)-1-i])
	}
	return days
}

// Share is that of a type on a day, which nobody may have counted.
func (d AdoptionDay) Share(i int) Share {
	if i >= len(d.Types) {
		return Share{}
	}
	return d.Types[i]
}

// The plane that charts are drawn on: ten to a day across, and a hundred down. It is stretched to the room there is.
const (
	chartDays = 90
	dayWidth  = 10
	// mostLines is how many lines can still be told from one another: that of all users, and those of the first types.
	mostLines = 6
)

// Chart is the line chart of the shares, and the bar chart of the messages.
type Chart struct {
	// From is the first day of both, as 2006-01-02.
	From string
	// Lines are that of all users and those of types. Left is how many types have none, for there are too many.
	Lines []ChartLine
	Left  int
	Bars  []ChartBar
	// Top is how many messages the bars' plane is high; Budget is the height of the budget's line from above, if it is within.
	Top    int
	Budget int
	// Limited: there is a line for the budget.
	Limited bool
}

// ChartLine is a line: the type that it is of, without an ID for all users together; its drawing, and its number among the
// lines.
type ChartLine struct {
	Type  Choice
	N     int
	Path  string
	Today Share
}

// ChartBar is a bar: its left side, upper end and height.
type ChartBar struct{ X, Y, Height int }

// Chart draws both charts.
func (p Adoption) Chart() Chart {
	today, err := time.Parse(time.DateOnly, p.Today().Date)
	if err != nil {
		return Chart{}
	}
	from := today.AddDate(0, 0, -chartDays)
	c := Chart{From: from.Format(time.DateOnly)}
	across := func(day string) (int, bool) {
		t, err := time.Parse(time.DateOnly, day)
		n := int(t.Sub(from).Hours() / 24)
		return n * dayWidth, err == nil && n >= 0 && n <= chartDays
	}
	line := func(of func(AdoptionDay) Share) string {
		var b strings.Builder
		last := -2 * dayWidth
		for _, d := range p.Days {
			x, ok := across(d.Date)
			s := of(d)
			if !ok || s.Of == 0 {
				continue
			}
			// A day that nobody counted is a hole, and a single point is drawn as a dot: a line of no length.
			move := "L"
			if x-last != dayWidth {
				move = "M"
			}
			last = x
			at := move + strconv.Itoa(x) + " " + strconv.FormatFloat(100-float64(100*s.Some)/float64(s.Of), 'f', 1, 64)
			if move == "M" {
				at += "h0"
			}
			b.WriteString(at)
		}
		return b.String()
	}
	c.Lines = []ChartLine{{Path: line(func(d AdoptionDay) Share { return d.All }), Today: p.Today().All}}
	for i := range p.Types {
		if len(c.Lines) == mostLines {
			c.Left = len(p.Types) - i
			break
		}
		share := func(d AdoptionDay) Share { return d.Share(i) }
		c.Lines = append(c.Lines, ChartLine{p.Types[i], i + 1, line(share), share(p.Today())})
	}
	p.bars(&c, across)
	return c
}

// bars draws the messages. The budget has a line where it is near: else a tenant that sends few would see nothing of them.
func (p Adoption) bars(c *Chart, across func(string) (int, bool)) {
	for _, d := range p.Days {
		c.Top = max(c.Top, d.Messages)
	}
	if c.Limited = p.Budget > 0 && p.Budget <= 2*c.Top; c.Limited {
		c.Top = max(c.Top, p.Budget)
	}
	if c.Top == 0 {
		return
	}
	c.Budget = 100 - 100*p.Budget/c.Top
	for _, d := range p.Days {
		if x, ok := across(d.Date); ok && d.Messages > 0 {
			height := max(1, 100*d.Messages/c.Top)
			c.Bars = append(c.Bars, ChartBar{x + dayWidth/5, 100 - height, height})
		}
	}
}

// Width is how wide the plane of both charts is: the last day's bar ends it.
func (Chart) Width() int { return (chartDays + 1) * dayWidth }
