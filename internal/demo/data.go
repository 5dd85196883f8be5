package demo

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed data
var files embed.FS

// RegionsFile is Haining's regions; see data/ATTRIBUTION.md.
const regionsFile = "data/regions-haining.csv"

type merchantData struct {
	Name     string   `yaml:"name"`
	Category string   `yaml:"category"`
	Town     string   `yaml:"town"`
	Address  string   `yaml:"address"`
	Benefits []string `yaml:"benefits"`
}

type articleData struct {
	Title   string `yaml:"title"`
	Seconds int64  `yaml:"seconds"`
	Cover   string `yaml:"cover"` // one of motifs
	Body    string `yaml:"body"`
	// Quiz: question | right choice | wrong choice | …
	Quiz []string `yaml:"quiz"`
}

type activityData struct {
	Title       string `yaml:"title"`
	Place       string `yaml:"place"`
	Content     string `yaml:"content"`
	Category    string `yaml:"category"`
	Beneficiary string `yaml:"beneficiary"`
	Minutes     int64  `yaml:"minutes"`
}

type namesData struct {
	Surnames string `yaml:"surnames"`
	Given    string `yaml:"given"`
}

// content is everything that people wrote for the demo.
type content struct {
	merchants  []merchantData
	articles   []articleData
	activities []activityData
	surnames   []rune
	given      []string
}

func readContent() (content, error) {
	var (
		c     content
		names namesData
	)
	for name, into := range map[string]any{
		"merchants": &c.merchants, "articles": &c.articles, "activities": &c.activities, "names": &names,
	} {
		raw, err := files.ReadFile("data/" + name + ".yaml")
		if err != nil {
			return c, fmt.Errorf("demo: %w", err)
		}
		if err := yaml.UnmarshalWithOptions(raw, into, yaml.Strict()); err != nil {
			return c, fmt.Errorf("demo: %s.yaml: %w", name, err)
		}
	}
	c.surnames, c.given = []rune(names.Surnames), strings.Fields(names.Given)
	return c, nil
}

// benefitData is one line of a merchant's benefits:
// title | points | cash in yuan | original price in yuan | stock | limit per person.
type benefitData struct {
	title                         string
	points, cashFen, originalFen  int64
	stock, perPersonLimitOfOrders int64
}

func parseBenefit(line string) (benefitData, error) {
	parts := strings.Split(line, "|")
	if len(parts) != 6 {
		return benefitData{}, fmt.Errorf("demo: benefit %q: want six parts", line)
	}
	b := benefitData{title: strings.TrimSpace(parts[0])}
	for i, into := range []*int64{&b.points, &b.cashFen, &b.originalFen, &b.stock, &b.perPersonLimitOfOrders} {
		n, err := strconv.ParseInt(strings.TrimSpace(parts[i+1]), 10, 64)
		if err != nil {
			return b, fmt.Errorf("demo: benefit %q: %w", line, err)
		}
		*into = n
	}
	b.cashFen *= 100
	b.originalFen *= 100
	return b, nil
}
