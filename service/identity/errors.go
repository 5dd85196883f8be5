package identity

import "jiamenkou/internal/fault"

// What the callers of this package can act on. Compare with errors.Is.
var (
	ErrTokenInvalid         = fault.New(fault.Unauthenticated, "identity.token_invalid", "登录已失效，请重新登录")
	ErrTokenExpired         = fault.New(fault.Unauthenticated, "identity.token_expired", "登录已过期，请刷新后重试")
	ErrSessionRevoked       = fault.New(fault.Unauthenticated, "identity.session_revoked", "您已退出登录，请重新登录")
	ErrRefreshInvalid       = fault.New(fault.Unauthenticated, "identity.refresh_invalid", "登录已过期，请重新登录")
	ErrRefreshReused        = fault.New(fault.Unauthenticated, "identity.refresh_reused", "登录状态异常，为了您的账号安全，请重新登录")
	ErrAccountFrozen        = fault.New(fault.Forbidden, "identity.account_frozen", "账号已被冻结，请联系社区工作人员")
	ErrStaffDisabled        = fault.New(fault.Forbidden, "identity.staff_disabled", "账号已停用，请联系管理员")
	ErrBadCredentials       = fault.New(fault.Unauthenticated, "identity.bad_credentials", "用户名或密码不正确；连续输错会暂停登录，请稍后再试")
	ErrStaffNotBound        = fault.New(fault.Unauthenticated, "identity.staff_not_bound", "此微信还没有绑定工作人员账号，请先用密码登录后绑定")
	ErrBadCode              = fault.New(fault.Unauthenticated, "identity.bad_code", "验证码不正确或已用过；请等验证器显示新的验证码再试，连续输错会暂停登录")
	ErrChallengeInvalid     = fault.New(fault.Unauthenticated, "identity.challenge_invalid", "登录等待太久，请重新输入用户名和密码")
	ErrSecondFactorOff      = fault.New(fault.Conflict, "identity.second_factor_off", "本系统没有启用两步验证")
	ErrSecondFactorEnrolled = fault.New(fault.Conflict, "identity.second_factor_enrolled", "已经设置过两步验证；换手机请联系上级管理员解除后重新设置")
	ErrSecondFactorMissing  = fault.New(fault.NotFound, "identity.second_factor_missing", "还没有设置两步验证")
	ErrGuardian             = fault.New(fault.Forbidden, "identity.guardian_required", "未满 14 周岁需要监护人同意后才能使用")
	ErrBusy                 = fault.New(fault.Unavailable, "identity.busy", "登录的人太多，请稍后再试")
	ErrWrongPassword        = fault.New(fault.Forbidden, "identity.wrong_password", "原密码不正确")
	ErrWeChatTaken          = fault.New(fault.Conflict, "identity.wechat_taken", "此微信已绑定其他工作人员账号")
	ErrNicknameRefused      = fault.New(fault.Invalid, "identity.nickname_refused", "这个昵称可能违反平台规定，请换一个")
	ErrPhoneTaken           = fault.New(fault.Conflict, "identity.phone_taken", "此手机号已绑定其他账号，请联系社区工作人员")
	ErrPhoneInvalid         = fault.New(fault.Invalid, "identity.phone_invalid", "手机号格式不正确")
	ErrIDNumberTaken        = fault.New(fault.Conflict, "identity.id_number_taken", "此身份证号已登记在其他账号，请联系社区工作人员")
	ErrRealNameFixed        = fault.New(fault.Conflict, "identity.real_name_fixed", "实名信息已登记，如有错误请联系社区工作人员")
	ErrResidentTaken        = fault.New(fault.Conflict, "identity.resident_taken", "名单中有人已经登记，请去掉后再导入")
	ErrUsernameTaken        = fault.New(fault.Conflict, "identity.username_taken", "用户名已被使用，请换一个")
	ErrGrantExists          = fault.New(fault.Conflict, "identity.grant_exists", "此人已有这个角色")
	ErrTooManyGrants        = fault.New(fault.Conflict, "identity.too_many_grants", "一个人的角色太多，请先收回不用的角色")
	ErrSelf                 = fault.New(fault.Conflict, "identity.self", "不能对自己做这项操作，请由其他管理员办理")
	ErrBadMove              = fault.New(fault.Conflict, "identity.bad_status", "当前状态不能这样操作，请刷新后查看")
	ErrStaffNotFound        = fault.New(fault.NotFound, "identity.staff_not_found", "没有找到这位工作人员")
	ErrGrantNotFound        = fault.New(fault.NotFound, "identity.grant_not_found", "没有找到这个角色")
	ErrResidentUnknown      = fault.New(fault.NotFound, "identity.resident_not_found", "没有找到这位居民")
	ErrNotOnRecord          = fault.New(fault.NotFound, "identity.not_on_record", "这位居民没有登记这一项")
	ErrRegionUnknown        = fault.New(fault.NotFound, "identity.region_not_found", "没有这个区域")
	ErrRegionClosed         = fault.New(fault.Conflict, "region.closed", "该地区已撤销，请选择其他地区")
	ErrRegionTooHigh        = fault.New(fault.Invalid, "identity.region_too_high", "请选择到村社、网格或更小的区域")
	ErrBatchTooLarge        = fault.New(fault.Invalid, "identity.batch_too_large", "一次处理的人数太多，请分批办理")
)

// Codes of errors whose fields say what is wrong.
const (
	codeInput    = "identity.invalid"
	codePassword = "identity.password_policy"
)
