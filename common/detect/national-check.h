/*
 * national-check - is this number of a state's right?
 *
 * Each takes the characters without separators, as its row's pattern (in
 * national.c) has let them through: digits where it says d, capitals where it
 * says L. Pure.
 */
#ifndef DETECT_NATIONAL_CHECK_H
#define DETECT_NATIONAL_CHECK_H

#include "base/slice.h"

bool national_at_svnr(const char *c);
bool national_au_tfn(const char *c);
bool national_be_rrn(const char *c);
bool national_bg_egn(const char *c);
bool national_br_cpf(const char *c);
bool national_ca_sin(const char *c);
bool national_ch_ahv(const char *c);
bool national_cn_id(const char *c);
bool national_cz_rc(const char *c);
bool national_de_tax(const char *c);
bool national_dk_cpr(const char *c);
bool national_ee_ik(const char *c);
bool national_es_dni(const char *c);
bool national_es_nie(const char *c);
bool national_fi_hetu(const char *c);
bool national_fi_hetu_letter(const char *c);
bool national_fr_nir(const char *c);
bool national_gb_nhs(const char *c);
bool national_gb_nino(const char *c);
bool national_gr_afm(const char *c);
bool national_hr_oib(const char *c);
bool national_hu_taj(const char *c);
bool national_ie_pps(const char *c);
bool national_ie_pps_two(const char *c);
bool national_in_aadhaar(const char *c);
bool national_it_cf(const char *c);
bool national_kr_rrn(const char *c);
bool national_lu_nin(const char *c);
bool national_nl_bsn(const char *c);
bool national_no_fnr(const char *c);
bool national_pl_pesel(const char *c);
bool national_pt_nif(const char *c);
bool national_ro_cnp(const char *c);
bool national_se_pnr(const char *c);
bool national_se_pnr_long(const char *c);
bool national_si_emso(const char *c);
bool national_tr_tckn(const char *c);
bool national_us_ssn(const char *c);
bool national_za_id(const char *c);

#endif
