package web

import (
	"strconv"
	"time"

	"dropslot/gateway"
)

// plot is one chart of bars by week, drawn on the server as SVG that takes
// every color from the style sheet, and the table that says the same.
type plot struct {
	ID     string
	Title  string
	Lead   string
	Series []series // the first is the widest and stands behind
	Times  bool     // milliseconds instead of counts
	Share  string   // the heading of a column that tells the last as a part of the first; empty if none

	Bars   []bar
	Ticks  []tick
	Labels []tick
	Header []string
	Rows   [][]string
	Empty  bool
}

// series is one kind of bar. A negative value is not known.
type series struct {
	Class, Name string
	values      []int64
}

// bar and tick are in the units of the drawing, as SVG writes them.
type bar struct{ Class, X, Y, Width, Height, Words string }

type tick struct{ X, Y, Words string }

// The drawing in its own units; the page scales it.
const (
	plotLeft, plotRight  = 56.0, 716.0
	plotTop, plotBottom  = 12.0, 150.0
	plotWidth, plotLabel = 720.0, 168.0
)

func (p *plot) draw(weeks []gateway.Figures) {
	most := int64(0)
	for _, s := range p.Series {
		for _, v := range s.values {
			most = max(most, v)
		}
	}
	p.Empty = most == 0
	top := niceTop(most, p.Times)
	for _, part := range []int64{0, top / 2, top} {
		if part == 0 || top > 1 {
			p.Ticks = append(p.Ticks, tick{fixed1(plotLeft - 6), fixed1(height(part, top)), p.words(part)})
		}
	}
	if top == 1 {
		p.Ticks = append(p.Ticks, tick{fixed1(plotLeft - 6), fixed1(plotTop), p.words(1)})
	}
	slot := (plotRight - plotLeft) / float64(len(weeks))
	for i, f := range weeks {
		p.column(i, slot, top, f)
		if every := (len(weeks) + 11) / 12; (len(weeks)-1-i)%every == 0 {
			p.Labels = append(p.Labels, tick{fixed1(plotLeft + slot*(float64(i)+.5)), fixed1(plotLabel), weekWords(f.Week, "Jan 2")})
		}
	}
	p.table(weeks)
}

func (p *plot) column(i int, slot float64, top int64, f gateway.Figures) {
	for n, s := range p.Series {
		v := s.values[i]
		if v <= 0 {
			continue
		}
		width := slot * (0.78 - 0.24*float64(n))
		y := height(v, top)
		p.Bars = append(p.Bars, bar{
			Class: s.Class, X: fixed1(plotLeft + slot*(float64(i)+.5) - width/2), Y: fixed1(y), Width: fixed1(width), Height: fixed1(plotBottom - y),
			Words: weekWords(f.Week, "Jan 2") + ": " + s.Name + " " + p.words(v),
		})
	}
}

func (p *plot) table(weeks []gateway.Figures) {
	p.Header = []string{"Week of"}
	for _, s := range p.Series {
		p.Header = append(p.Header, s.Name)
	}
	if p.Share != "" {
		p.Header = append(p.Header, p.Share)
	}
	for i := len(weeks) - 1; i >= 0; i-- { // the newest first
		row := []string{weekWords(weeks[i].Week, "Jan 2, 2006")}
		for _, s := range p.Series {
			row = append(row, p.words(s.values[i]))
		}
		if all, part := p.Series[0].values[i], p.Series[len(p.Series)-1].values[i]; p.Share != "" {
			share := "–"
			if all > 0 {
				share = strconv.FormatInt((part*100+all/2)/all, 10) + " %"
			}
			row = append(row, share)
		}
		p.Rows = append(p.Rows, row)
	}
}

func (p *plot) words(v int64) string {
	switch {
	case v < 0:
		return "–"
	case !p.Times:
		return strconv.FormatInt(v, 10)
	}
	return spanWords(time.Duration(v) * time.Millisecond)
}

// spanWords writes a time as people say it, to two places at most.
func spanWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		h, m := int(d.Hours()), int(d.Minutes())%60
		if m == 0 {
			return strconv.Itoa(h) + " h"
		}
		return strconv.Itoa(h) + " h " + strconv.Itoa(m) + " min"
	}
	return plural(int(d.Hours()/24), "day")
}

func height(v, top int64) float64 {
	return plotBottom - (plotBottom-plotTop)*float64(v)/float64(max(top, 1))
}

// niceTop gives an even end of the scale above the highest bar.
func niceTop(most int64, times bool) int64 {
	if times {
		for _, step := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour} {
			if s := 2 * step.Milliseconds(); most <= 6*s {
				return max((most+s-1)/s, 1) * s
			}
		}
		day := 2 * (24 * time.Hour).Milliseconds()
		return (most + day - 1) / day * day
	}
	if most <= 1 {
		return 1
	}
	step := int64(2)
	for most > 8*step {
		step *= 10
		if most <= 8*step/2 {
			step /= 2
		}
	}
	return (most + step - 1) / step * step
}

func weekWords(w gateway.Week, layout string) string {
	day, err := time.Parse(time.DateOnly, string(w))
	if err != nil {
		return string(w)
	}
	return day.Format(layout)
}

func fixed1(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
