package model

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// ArticleStatus of an article: see docs/states/reading.md.
type ArticleStatus string

// The states of an article. Residents see published ones only.
const (
	ArticleDraft     ArticleStatus = "draft"
	ArticlePublished ArticleStatus = "published"
	ArticleWithdrawn ArticleStatus = "withdrawn"
)

// ArticleMove is what was done to an article.
type ArticleMove string

// The moves of an article.
const (
	ArticleCreate   ArticleMove = "create"
	ArticleUpdate   ArticleMove = "update"
	ArticlePublish  ArticleMove = "publish"
	ArticleWithdraw ArticleMove = "withdraw"
)

// Limits of an article; the texts in characters.
const (
	MaxArticleTitle   = 80
	MaxArticleSummary = 200
	MaxArticleBody    = 20_000
	MaxArticleSource  = 100
	MinReadSeconds    = 5
	MaxReadSeconds    = 1800
)

// Article is a piece of community news, offered to the residents of a region
// and of everything below it.
type Article struct {
	ID         string `gorm:"primaryKey"`
	RegionID   string
	Title      string
	Summary    string
	Body       string  // plain text or simple Markdown, never HTML: clients render it as text
	CoverKey   *string // of internal/blob
	AudioKey   *string // of internal/blob: the article read aloud
	Source     string  // who wrote it, "" if the region itself
	MinSeconds int64   // reading time that counts as having read it
	// QuestionCount is how many questions its quiz has; 0: none.
	QuestionCount int64
	Status        ArticleStatus
	Version       int64          // counts edits and moves; one history row each
	PublishedAt   *clock.Instant // the latest publication
	CreatedBy     string
	CreatedAt     clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt     clock.Instant `gorm:"autoUpdateTime:false"`
}

// ArticleHistory is one edit or move: who, when, why.
type ArticleHistory struct {
	ID         string `gorm:"primaryKey"`
	ArticleID  string
	Version    int64 // that the edit led to
	Move       ArticleMove
	FromStatus *ArticleStatus // nil for the first
	ToStatus   ArticleStatus
	ActorKind  string
	ActorID    string
	Reason     string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// Clean brings the texts into the form that is stored: Unix line ends, no
// space around them, the wide spaces of Chinese typesetting as plain ones in
// what stands on one line.
func (a *Article) Clean() {
	spaces := strings.NewReplacer("\u3000", " ", "\u00a0", " ")
	for _, line := range []*string{&a.Title, &a.Summary, &a.Source} {
		*line = strings.TrimSpace(spaces.Replace(*line))
	}
	a.Body = strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(a.Body))
}

var (
	coverKey = regexp.MustCompile(`^[0-9a-f]{32}$`)
	// A tag, a comment or a processing instruction; "温度<5" is none.
	markup = regexp.MustCompile(`<[A-Za-z/!?]`)
	// The target of a Markdown link or picture, in the text or as a definition.
	linkTarget = regexp.MustCompile(`\](?:\(|:)\s*(\S*)`)
	safeTarget = regexp.MustCompile(`^<?https?://`)
)

// Validate checks what an operator wrote, after Clean.
func (a *Article) Validate() error {
	var f fault.Fields
	f.Add(lengthWithin(a.Title, 1, MaxArticleTitle) && printable(a.Title), "title", "请填写 1 到 80 个字的标题，不含换行和不可见字符")
	f.Add(lengthWithin(a.Summary, 0, MaxArticleSummary) && printable(a.Summary), "summary", "摘要最多 200 个字，不含换行和不可见字符")
	f.Add(lengthWithin(a.Source, 0, MaxArticleSource) && printable(a.Source), "source", "来源最多 100 个字，不含换行和不可见字符")
	f.Add(a.CoverKey == nil || coverKey.MatchString(*a.CoverKey), "cover_key", "封面图片无效，请重新上传")
	f.Add(a.AudioKey == nil || coverKey.MatchString(*a.AudioKey), "audio_key", "录音无效，请重新上传")
	f.Add(a.MinSeconds >= MinReadSeconds && a.MinSeconds <= MaxReadSeconds, "min_seconds", "阅读时长应为 5 到 1800 秒")
	if reason := articleBodyFault(a.Body); reason != "" {
		f.Add(false, "body", reason)
	}
	return f.Err("reading.invalid")
}

// articleBodyFault says what is wrong with a body, "" if nothing. Refusing
// beats stripping: the operator sees what residents will see.
func articleBodyFault(body string) string {
	switch {
	case !lengthWithin(body, 1, MaxArticleBody) || strings.ContainsRune(body, utf8.RuneError):
		return "请填写 1 到 20000 个字的正文"
	case strings.ContainsFunc(body, unwelcome):
		return "正文含有不可见的控制字符，请粘贴为纯文本"
	case markup.MatchString(body):
		return "正文只支持纯文本和简单的 Markdown，请去掉网页标签"
	}
	for _, m := range linkTarget.FindAllStringSubmatch(body, -1) {
		if strings.HasPrefix(m[0], "](") && !safeTarget.MatchString(m[1]) || strings.Contains(strings.ToLower(m[1]), "script:") {
			return "正文中的链接应以 http:// 或 https:// 开头"
		}
	}
	return ""
}

// unwelcome tells control characters and those that turn the direction of
// text or hide it; line feeds, tabs, and the joiners of emoji may stay.
func unwelcome(r rune) bool {
	switch r {
	case '\n', '\t', '\u200d', '\u200c':
		return false
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)
}
