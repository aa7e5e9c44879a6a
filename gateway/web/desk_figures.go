package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Figures is the flow of who looks at counts.
type Figures interface {
	Weeks(ctx context.Context, who gateway.Actor, weeks int) ([]gateway.OfficeFigures, error)
}

// fewTimes is the least number of clients that times are told of: the middle
// of one or two would be the time of somebody in particular.
const fewTimes = 5

var weekChoices = []int{12, 26, 52}

type figuresView struct {
	frame
	Weeks   int
	Choices []int
	Offices []figuresOffice
	Few     int
	Every   string // how often is counted, as in "every hour"
}

type figuresOffice struct {
	ID, Name, Zone string
	Counted        moment // zero if nothing was counted yet
	Next           string // when the next count comes
	Plots          []plot
}

func weeksAsked(c echo.Context) (int, error) {
	text := c.QueryParam("weeks")
	if text == "" {
		return weekChoices[0], nil
	}
	for _, n := range weekChoices {
		if text == strconv.Itoa(n) {
			return n, nil
		}
	}
	return 0, gateway.NewError(gateway.CodeBadRequest, nil)
}

func (d *desk) figures(c echo.Context) error {
	weeks, err := weeksAsked(c)
	if err != nil {
		return err
	}
	offices, err := d.Figures.Weeks(c.Request().Context(), actor(c), weeks)
	if err != nil {
		return err
	}
	view := figuresView{frame: d.frame(c, "Figures", "figures"), Weeks: weeks, Choices: weekChoices, Few: fewTimes, Every: strings.TrimPrefix(lengthWords(d.FiguresEvery), "1 ")}
	for _, of := range offices {
		zone := of.Office.Location
		if zone == nil {
			zone = time.UTC
		}
		view.Offices = append(view.Offices, figuresOffice{
			ID: string(of.Office.ID), Name: of.Office.Name, Zone: zone.String(),
			Counted: momentOf(of.Weeks[len(of.Weeks)-1].CountedAt, d.Now(), zone),
			Next:    d.nextCount(of.Next, zone), Plots: plotsOf(string(of.Office.ID), of.Weeks),
		})
	}
	return d.render(c, http.StatusOK, "figures", view)
}

// nextCount says when figures are counted again. A count that is late by the
// time between two of them was not only slow.
func (d *desk) nextCount(at time.Time, zone *time.Location) string {
	switch late := d.Now().Sub(at); {
	case late < 0:
		return "The next count comes at " + at.In(zone).Format("3:04 PM MST") + "."
	case late < d.FiguresEvery:
		return "The next count is due: load this page again in a minute."
	}
	return "The next count is overdue: tell the person who runs Dropslot that its worker may be off."
}

// plotsOf gives an office's plots. Behind each bar stands the one it is a part of.
func plotsOf(office string, weeks []gateway.Figures) []plot {
	plots := []plot{
		{Title: "Texts from clients", Lead: "Every text that came in, also a STOP or a thank you.", Series: []series{
			{"texts", "Texts", counts(weeks, func(f gateway.Figures) int { return f.Texts })},
		}},
		{Title: "Links: used, and ended with papers", Lead: "Links sent or shown in the week, without those that were replaced by a newer one before anybody opened them. Used: a person tapped. With papers: something is in the submission, if only word of what the client does not have.", Series: []series{
			{"all", "Links", counts(weeks, func(f gateway.Figures) int { return f.Links })},
			{"part", "Used", counts(weeks, func(f gateway.Figures) int { return f.Used })},
			{"core", "With papers", counts(weeks, func(f gateway.Figures) int { return f.Brought })},
		}, Share: "Share with papers"},
		{Title: "From the text to the first page", Lead: "How long it took from a client’s text to their first page, by the week of the text: half of them were faster than the middle, nine in ten faster than the slow end.", Times: true, Series: []series{
			{"all", "Slow end (9 in 10)", times(weeks, func(f gateway.Figures) time.Duration { return f.P90 })},
			{"core", "Middle", times(weeks, func(f gateway.Figures) time.Duration { return f.Median })},
		}},
		{Title: "Pages, and pages taken back", Lead: "Pages that arrived, and of these the ones that clients took back themselves, most often to photograph them again. How often a photograph was taken again before it was sent is not known here: it never leaves the phone. Asked again: links by which caseworkers asked for one page once more.", Series: []series{
			{"all", "Pages", counts(weeks, func(f gateway.Figures) int { return f.Pages })},
			{"part", "Taken back", counts(weeks, func(f gateway.Figures) int { return f.Removed })},
			{"core", "Asked again", counts(weeks, func(f gateway.Figures) int { return f.Retakes })},
		}},
		{Title: "Waiting in the inbox", Lead: "Submissions not marked done when the week was last counted; for this week, at the last count.", Series: []series{
			{"texts", "Waiting", counts(weeks, func(f gateway.Figures) int { return f.Waiting })},
		}},
	}
	for i := range plots {
		plots[i].ID = office + "-" + strconv.Itoa(i+1)
		plots[i].draw(weeks)
	}
	return plots
}

func counts(weeks []gateway.Figures, of func(gateway.Figures) int) []int64 {
	values := make([]int64, len(weeks))
	for i, f := range weeks {
		values[i] = int64(of(f))
	}
	return values
}

func times(weeks []gateway.Figures, of func(gateway.Figures) time.Duration) []int64 {
	return counts(weeks, func(f gateway.Figures) int {
		if f.Timed < fewTimes {
			return gateway.NotCounted
		}
		return int(of(f).Milliseconds())
	})
}

var figuresHeader = []string{
	"office", "week", "texts", "links", "links_used", "links_with_papers", "timed", "first_page_median_seconds", "first_page_p90_seconds",
	"pages", "pages_taken_back", "pages_asked_again", "waiting", "waiting_median_hours", "waiting_oldest_hours",
}

// figuresCSV gives the same as a table for a spreadsheet.
func (d *desk) figuresCSV(c echo.Context) error {
	weeks, err := weeksAsked(c)
	if err != nil {
		return err
	}
	offices, err := d.Figures.Weeks(c.Request().Context(), actor(c), weeks)
	if err != nil {
		return err
	}
	d.count(c, http.StatusOK, "")
	startDownload(c, "text/csv; charset=utf-8", "figures-"+d.Now().UTC().Format("20060102")+".csv")
	table := csv.NewWriter(c.Response())
	if err := table.Write(figuresHeader); err != nil {
		return err
	}
	for _, of := range offices {
		for _, f := range of.Weeks {
			if err := table.Write(figuresCells(f)); err != nil {
				return err
			}
		}
	}
	table.Flush()
	return table.Error()
}

// figuresCells leaves empty what is not known or would tell of few people.
func figuresCells(f gateway.Figures) []string {
	median, p90, waiting, half, most := "", "", "", "", ""
	if f.Timed >= fewTimes {
		median, p90 = strconv.Itoa(int(f.Median.Seconds())), strconv.Itoa(int(f.P90.Seconds()))
	}
	if f.Waiting != gateway.NotCounted {
		waiting = strconv.Itoa(f.Waiting)
		if f.Waiting > 0 {
			half, most = strconv.Itoa(int(f.WaitHalf.Hours())), strconv.Itoa(int(f.WaitMost.Hours()))
		}
	}
	cells := []string{string(f.Office), string(f.Week)}
	for _, n := range []int{f.Texts, f.Links, f.Used, f.Brought, f.Timed} {
		cells = append(cells, strconv.Itoa(n))
	}
	cells = append(cells, median, p90)
	for _, n := range []int{f.Pages, f.Removed, f.Retakes} {
		cells = append(cells, strconv.Itoa(n))
	}
	return safeCells(append(cells, waiting, half, most)...)
}
