//! The statements that read a campaign. The dialects differ in how a label is read and how several ids are bound to one
//! parameter, so macros take these two fragments: a `const` of several parts needs `concat!`, which takes literals only.

/// The statements of one dialect.
pub(in crate::storage) struct CampaignSql {
    /// Counts the messages.
    pub count: &'static str,
    /// A page by the first receipt: newest first, and oldest first.
    pub by_first_received: [&'static str; 2],
    /// A page by the last receipt: newest first, and oldest first.
    pub by_last_received: [&'static str; 2],
    /// The fields of the first receipts of messages.
    pub fields: &'static str,
}

impl CampaignSql {
    /// All of them.
    pub const fn all(&self) -> [&'static str; 6] {
        let ([newest, oldest], [latest, earliest]) = (self.by_first_received, self.by_last_received);
        [self.count, newest, oldest, latest, earliest, self.fields]
    }
}

/// The messages of an account's campaign, to a number in E.164 or as written where one is asked for.
macro_rules! of_campaign {
    ($campaign:literal) => {
        concat!(
            " FROM messages WHERE account = $1 AND ",
            $campaign,
            " = $2 AND (CAST($3 AS TEXT) IS NULL OR recipient = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR recipient_raw = $4)"
        )
    };
}

/// A page of them, in an order.
macro_rules! campaign_page {
    ($campaign:literal, $order:literal) => {
        concat!(
            "SELECT id, ",
            message_columns!("CAST(labels AS TEXT) AS labels"),
            of_campaign!($campaign),
            " ORDER BY ",
            $order,
            " LIMIT $5 OFFSET $6"
        )
    };
}

/// The statements where `$campaign` is a message's campaign, and `$among` takes ids as one parameter.
macro_rules! campaign_sql {
    ($campaign:literal, $among:literal) => {
        CampaignSql {
            count: concat!("SELECT COUNT(*)", of_campaign!($campaign)),
            by_first_received: [
                campaign_page!($campaign, "first_received_at DESC, id DESC"),
                campaign_page!($campaign, "first_received_at, id"),
            ],
            by_last_received: [
                campaign_page!($campaign, "last_received_at DESC, id DESC"),
                campaign_page!($campaign, "last_received_at, id"),
            ],
            fields: concat!(
                "SELECT message_id, signed_for, fields FROM (\
                    SELECT message_id, signed_for, CAST(fields AS TEXT) AS fields, ROW_NUMBER() OVER ( \
                        PARTITION BY message_id ORDER BY received_at, id) AS place \
                    FROM receipts WHERE message_id ",
                $among,
                ") AS placed WHERE place <= $2 ORDER BY message_id, place"
            ),
        }
    };
}

pub(in crate::storage) use {campaign_page, campaign_sql, of_campaign};
