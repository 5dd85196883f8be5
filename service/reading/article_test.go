package reading_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
)

func TestArticleLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.draft(w.town, "　创城 播报 ")
		require.Equal(t, "创城 播报", a.Title)
		require.Equal(t, model.ArticleDraft, a.Status)
		actor := w.resident(&w.village)
		_, err := w.reading.Offer(t.Context(), actor, a.ID)
		requireFault(t, err, reading.ErrArticleNotFound)

		in := text("创城播报")
		in.Body, in.CoverKey, in.AudioKey = "一\r\n二", w.media(model.MediaPicture), w.media(model.MediaAudio)
		edited, err := w.reading.Update(t.Context(), w.operator, changeOf(a), in)
		require.NoError(t, err)
		require.Equal(t, "一\n二", edited.Body)
		require.EqualValues(t, 2, edited.Version)
		_, err = w.reading.Update(t.Context(), w.operator, changeOf(a), text("旧稿"))
		requireFault(t, err, reading.ErrChanged)

		w.clock.Advance(time.Minute)
		published, err := w.reading.Publish(t.Context(), w.operator, changeOf(edited))
		require.NoError(t, err)
		_, err = w.reading.Publish(t.Context(), w.operator, changeOf(published))
		requireFault(t, err, reading.ErrMove)
		o, err := w.reading.Offer(t.Context(), actor, a.ID)
		require.NoError(t, err)
		require.Equal(t, "一\n二", o.Body)
		require.Equal(t, "硖石街道", o.RegionName)

		_, err = w.reading.Withdraw(t.Context(), w.operator, reading.Change{ArticleID: a.ID, Version: 3})
		requireField(t, err, "reason")
		_, err = w.reading.Withdraw(t.Context(), w.operator, reading.Change{ArticleID: a.ID, Version: 3, Reason: strings.Repeat("长", 201)})
		requireField(t, err, "reason")
		withdrawn, err := w.reading.Withdraw(t.Context(), w.operator, reading.Change{ArticleID: a.ID, Version: 3, Reason: "数字有误"})
		require.NoError(t, err)
		_, err = w.reading.Offer(t.Context(), actor, a.ID)
		requireFault(t, err, reading.ErrArticleNotFound)
		_, err = w.reading.Withdraw(t.Context(), w.operator, changeOf(withdrawn))
		requireFault(t, err, reading.ErrMove)
		_, err = w.reading.Publish(t.Context(), w.operator, changeOf(withdrawn))
		require.NoError(t, err)

		page, err := w.reading.ArticleHistory(t.Context(), w.operator, a.ID, paging.Request{Limit: 3})
		require.NoError(t, err)
		rest, err := w.reading.ArticleHistory(t.Context(), w.operator, a.ID, paging.Request{Limit: 3, Cursor: page.Next})
		require.NoError(t, err)
		var got []string
		for _, h := range append(page.Items, rest.Items...) {
			got = append(got, fmt.Sprintln(h.Version, h.Move, h.ToStatus, h.ActorID, h.Reason))
		}
		require.Equal(t, []string{
			"5 publish published operator 测试\n", "4 withdraw withdrawn operator 数字有误\n", "3 publish published operator 测试\n",
			"2 update draft operator 测试\n", "1 create draft operator \n",
		}, got)

		// The same is in the audit log, with what was changed.
		_, err = w.reading.SetQuiz(t.Context(), w.operator, reading.Change{ArticleID: a.ID, Version: 5}, []reading.Question{{Text: "几点？", Choices: []string{"一点", "两点"}}})
		require.NoError(t, err)
		var rows []model.AuditLog
		require.NoError(t, w.db.Read(t.Context()).Where("object_type = 'article' AND object_id = ? AND region_id = ?", a.ID, w.town.ID).Order("id").Find(&rows).Error)
		got = nil
		for _, r := range rows {
			got = append(got, fmt.Sprintln(r.ActorID, r.Action, r.Reason, r.Detail))
		}
		require.Equal(t, []string{
			"operator article.create  {}\n",
			`operator article.update 测试 {"changes":[{"field":"title","from":"创城 播报","to":"创城播报"},{"field":"body"},{"field":"cover_key"},{"field":"audio_key"}]}` + "\n",
			"operator article.publish 测试 {}\n", "operator article.withdraw 数字有误 {}\n", "operator article.publish 测试 {}\n",
			`operator article.update  {"changes":[{"field":"quiz"}]}` + "\n",
		}, got)
	})
}

func TestArticleScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.publish(w.town, "一")
		town, elsewhere := staff(authz.RoleOperator, w.town), staff(authz.RoleOperator, w.other)
		auditor, organizer := staff(authz.RoleAuditor, w.county), staff(authz.RoleOrganizer, w.county)

		_, err := w.reading.Create(t.Context(), elsewhere, w.town.ID, text("一"))
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.Create(t.Context(), w.operator, w.clock.NewID(), text("一"))
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.Article(t.Context(), elsewhere, a.ID)
		requireFault(t, err, reading.ErrArticleNotFound)
		_, err = w.reading.Article(t.Context(), organizer, a.ID)
		requireFault(t, err, reading.ErrArticleNotFound)
		_, err = w.reading.Withdraw(t.Context(), elsewhere, changeOf(a))
		requireFault(t, err, reading.ErrArticleNotFound)
		_, err = w.reading.ArticleHistory(t.Context(), elsewhere, a.ID, paging.Request{})
		requireFault(t, err, reading.ErrArticleNotFound)
		_, err = w.reading.Update(t.Context(), auditor, changeOf(a), text("二"))
		requireFault(t, err, authz.ErrForbidden)
		same, err := w.reading.Article(t.Context(), auditor, a.ID)
		require.NoError(t, err)
		require.Equal(t, model.ArticlePublished, same.Status)
		require.EqualValues(t, 2, same.Version)

		// A resident sees what is offered at home or above, and nothing else.
		neighbour, outsider, homeless := w.resident(&w.village), w.resident(&w.other), w.resident(nil)
		for _, actor := range []authz.Actor{outsider, homeless, w.resident(&w.county)} {
			_, err = w.reading.Offer(t.Context(), actor, a.ID)
			requireFault(t, err, reading.ErrArticleNotFound)
			_, err = w.reading.Start(t.Context(), actor, a.ID)
			requireFault(t, err, reading.ErrArticleNotFound)
		}
		w.start(neighbour, a)
		_, err = w.reading.Withdraw(t.Context(), town, changeOf(a))
		require.NoError(t, err)
	})
}

func TestArticleInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			field  string
			change func(*reading.ArticleInput)
		}{
			{"title", func(in *reading.ArticleInput) { in.Title = "  " }},
			{"title", func(in *reading.ArticleInput) { in.Title = strings.Repeat("长", 81) }},
			{"title", func(in *reading.ArticleInput) { in.Title = "一\u202e二" }},
			{"summary", func(in *reading.ArticleInput) { in.Summary = strings.Repeat("长", 201) }},
			{"source", func(in *reading.ArticleInput) { in.Source = "一\n二" }},
			{"cover_key", func(in *reading.ArticleInput) { in.CoverKey = strings.Repeat("a", 32) }},
			{"cover_key", func(in *reading.ArticleInput) { in.CoverKey = w.media(model.MediaAudio) }},
			{"audio_key", func(in *reading.ArticleInput) { in.AudioKey = strings.Repeat("a", 32) }},
			{"cover_key", func(in *reading.ArticleInput) { in.CoverKey = "../../etc/passwd" }},
			{"min_seconds", func(in *reading.ArticleInput) { in.MinSeconds = 4 }},
			{"min_seconds", func(in *reading.ArticleInput) { in.MinSeconds = 1801 }},
			{"body", func(in *reading.ArticleInput) { in.Body = "\n \n" }},
			{"body", func(in *reading.ArticleInput) { in.Body = strings.Repeat("长", 20_001) }},
			{"body", func(in *reading.ArticleInput) { in.Body = "<script>alert(1)</script>" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "<!-- -->" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "零\x00" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "方向\u202e" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "坏\xff" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "[看](javascript:alert(1))" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "![看](data:text/html,x)" }},
			{"body", func(in *reading.ArticleInput) { in.Body = "[看][1]\n\n[1]: JavaScript:alert(1)" }},
		} {
			in := text("一")
			c.change(&in)
			_, err := w.reading.Create(t.Context(), w.operator, w.county.ID, in)
			requireField(t, err, c.field)
		}
		require.Zero(t, w.count(`SELECT COUNT(*) FROM article`))

		in := text("一")
		in.Body = "# 标题\n\n温度<5℃，**注意** [通知](https://example.org/a) 👨‍👩‍👧\n" + strings.Repeat("长", 19_900)
		in.MinSeconds = 5
		a, err := w.reading.Create(t.Context(), w.operator, w.county.ID, in)
		require.NoError(t, err)
		same, err := w.reading.Article(t.Context(), w.operator, a.ID)
		require.NoError(t, err)
		require.Equal(t, in.Body, same.Body)
		in.MinSeconds = 4
		_, err = w.reading.Update(t.Context(), w.operator, changeOf(a), in)
		requireField(t, err, "min_seconds")
	})
}

func titles[T any](page paging.Page[T], title func(T) string) []string {
	out := []string{}
	for _, i := range page.Items {
		out = append(out, title(i))
	}
	return out
}

func offerTitle(o reading.Offer) string { return o.Title }

func TestOffers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, func(in *policy.RuleInput) { in.DailyCap = 2 })
		var articles []reading.StaffArticle
		for i, r := range []model.Region{w.county, w.town, w.village, w.other, w.county} {
			articles = append(articles, w.publish(r, fmt.Sprint("News ", i))) // some at the same instant
			if i%2 == 1 {
				w.clock.Advance(time.Second)
			}
		}
		w.draft(w.county, "草稿")
		actor := w.resident(&w.village)
		list := func(f reading.OfferFilter, r paging.Request) paging.Page[reading.Offer] {
			t.Helper()
			page, err := w.reading.Offers(t.Context(), actor, f, r)
			require.NoError(t, err)
			return page
		}
		all := list(reading.OfferFilter{}, paging.Request{})
		require.Equal(t, []string{"News 4", "News 2", "News 1", "News 0"}, titles(all, offerTitle))
		require.Equal(t, []string{"海宁市", "东山社区", "硖石街道", "海宁市"}, titles(all, func(o reading.Offer) string { return o.RegionName }))
		for _, o := range all.Items {
			require.Empty(t, o.Body)
			require.False(t, o.Read)
			require.EqualValues(t, 2, o.Points)
		}
		var paged []string
		for r := (paging.Request{Limit: 1}); ; {
			page := list(reading.OfferFilter{}, r)
			paged = append(paged, titles(page, offerTitle)...)
			if r.Cursor = page.Next; r.Cursor == "" {
				break
			}
		}
		require.Equal(t, titles(all, offerTitle), paged)

		w.finish(actor, articles[2])
		all = list(reading.OfferFilter{}, paging.Request{})
		require.True(t, all.Items[1].Read)
		require.Zero(t, all.Items[1].Points, "nobody earns twice by one article")
		require.EqualValues(t, 2, all.Items[0].Points)
		require.Equal(t, []string{"News 4", "News 1", "News 0"}, titles(list(reading.OfferFilter{Unread: true}, paging.Request{}), offerTitle))
		require.Equal(t, []string{"News 1"}, titles(list(reading.OfferFilter{Text: " nEWS 1"}, paging.Request{}), offerTitle))
		require.Len(t, list(reading.OfferFilter{Text: "摘要"}, paging.Request{}).Items, 4)
		require.Empty(t, list(reading.OfferFilter{Text: "%"}, paging.Request{}).Items)
		w.finish(actor, articles[1])
		for _, o := range list(reading.OfferFilter{}, paging.Request{}).Items {
			require.Zero(t, o.Points, "today's cap is reached")
		}

		page, err := w.reading.Offers(t.Context(), w.resident(nil), reading.OfferFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Empty(t, page.Items)
		_, err = w.reading.Offers(t.Context(), w.operator, reading.OfferFilter{}, paging.Request{})
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.Offers(t.Context(), actor, reading.OfferFilter{Text: strings.Repeat("长", 41)}, paging.Request{})
		requireField(t, err, "q")
		_, err = w.reading.Offers(t.Context(), actor, reading.OfferFilter{}, paging.Request{Cursor: "eA"})
		requireFault(t, err, paging.ErrCursor)
		_, err = w.reading.Offers(t.Context(), actor, reading.OfferFilter{}, paging.Request{Cursor: "eB94"})
		requireFault(t, err, paging.ErrCursor)
	})
}

func TestStaffList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		county, town := w.publish(w.county, "一"), w.publish(w.town, "二")
		w.publish(w.other, "三")
		w.draft(w.village, "四")
		w.finish(w.resident(&w.village), county)
		w.finish(w.resident(&w.village), town)
		w.finish(w.resident(&w.town), town)
		title := func(a reading.StaffArticle) string { return a.Title }
		list := func(actor authz.Actor, f reading.ArticleFilter) []string {
			t.Helper()
			first, err := w.reading.Articles(t.Context(), actor, f, paging.Request{Limit: 2})
			require.NoError(t, err)
			if first.Next == "" {
				return titles(first, title)
			}
			rest, err := w.reading.Articles(t.Context(), actor, f, paging.Request{Limit: 2, Cursor: first.Next})
			require.NoError(t, err)
			return append(titles(first, title), titles(rest, title)...)
		}
		require.Equal(t, []string{"四", "三", "二", "一"}, list(w.operator, reading.ArticleFilter{}))
		require.Equal(t, []string{"四", "二"}, list(staff(authz.RoleAuditor, w.town), reading.ArticleFilter{}))
		require.Equal(t, []string{"四", "二"}, list(w.operator, reading.ArticleFilter{RegionID: w.town.ID}))
		require.Equal(t, []string{}, list(staff(authz.RoleOperator, w.other), reading.ArticleFilter{RegionID: w.town.ID}))
		require.Equal(t, []string{}, list(w.operator, reading.ArticleFilter{RegionID: w.clock.NewID()}))
		require.Equal(t, []string{"四"}, list(w.operator, reading.ArticleFilter{Status: model.ArticleDraft}))
		require.Equal(t, []string{"三"}, list(w.operator, reading.ArticleFilter{Text: "三"}))
		require.Equal(t, []string{}, list(staff(authz.RoleOrganizer, w.county), reading.ArticleFilter{}))

		page, err := w.reading.Articles(t.Context(), w.operator, reading.ArticleFilter{}, paging.Request{})
		require.NoError(t, err)
		require.Equal(t, []string{"0", "0", "2", "1"}, titles(page, func(a reading.StaffArticle) string { return fmt.Sprint(a.Reads) }))
		_, err = w.reading.Articles(t.Context(), w.operator, reading.ArticleFilter{}, paging.Request{Cursor: "!"})
		requireFault(t, err, paging.ErrCursor)
	})
}

// TestOffersUseTheIndex: the cost of a resident's page must not grow with the
// number of articles.
func TestOffersUseTheIndex(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 30 {
			w.publish([]model.Region{w.county, w.town, w.village}[i%3], fmt.Sprint(i))
		}
		ids := []string{w.county.ID, w.town.ID, w.village.ID}
		sql, args, err := reading.OffersQuery(w.resident(&w.village).ID, ids, reading.OfferFilter{}, []string{"1", "x"}, 21)
		require.NoError(t, err)
		if w.db.Driver() == database.SQLite {
			var plan []struct{ Detail string }
			require.NoError(t, w.db.Read(t.Context()).Raw("EXPLAIN QUERY PLAN "+sql, args...).Scan(&plan).Error)
			uses := 0
			for i, p := range plan {
				require.NotContains(t, p.Detail, "SCAN a")
				if strings.Contains(p.Detail, "USING INDEX article_region_id_idx") {
					uses++
					require.NotContains(t, plan[i+1].Detail, "TEMP B-TREE", "only the page's rows may be sorted: %v", plan)
				}
			}
			require.Equal(t, len(ids), uses, "%v", plan)
			return
		}
		w.exec("ANALYZE TABLE article")
		var plan []struct {
			Table string
			Type  string
			Key   *string
			Extra string
		}
		require.NoError(t, w.db.Read(t.Context()).Raw("EXPLAIN "+sql, args...).Scan(&plan).Error)
		uses := 0
		for _, p := range plan {
			if p.Table != "a" {
				continue
			}
			require.NotNil(t, p.Key, "%+v", plan)
			require.Equal(t, "article_region_id_idx", *p.Key)
			require.NotContains(t, p.Extra, "filesort", "%+v", plan)
			uses++
		}
		require.Equal(t, len(ids), uses, "%+v", plan)
	})
}
